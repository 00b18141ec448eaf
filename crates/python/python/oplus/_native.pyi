from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Cost = Literal["sqeuclidean", "euclidean", "half_sqeuclidean"]
_Floats = NDArray[np.float64]

class Plan:
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def source(self) -> NDArray[np.int64]: ...
    @property
    def target(self) -> NDArray[np.int64]: ...
    @property
    def mass(self) -> _Floats: ...
    def to_scipy(self) -> Any: ...
    def to_dense(self) -> _Floats: ...
    def __len__(self) -> int: ...

class Transport:
    @property
    def value(self) -> float: ...
    @property
    def dual(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def certified(self) -> bool: ...
    @property
    def certificate(self) -> dict[str, float]: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def potentials(self) -> tuple[_Floats, _Floats]: ...
    @property
    def barycentric_map(self) -> _Floats | None: ...
    @property
    def iterations(self) -> int: ...
    def f_at(self, points: ArrayLike) -> _Floats: ...
    def g_at(self, points: ArrayLike) -> _Floats: ...

class SinkhornDivergence:
    @property
    def value(self) -> float: ...
    @property
    def gradient(self) -> _Floats | None: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def iterations(self) -> int: ...
    @property
    def marginal_error(self) -> float: ...
    @property
    def converged(self) -> bool: ...

class Entropic:
    @property
    def value(self) -> float: ...
    @property
    def plan(self) -> _Floats | None: ...
    @property
    def potentials(self) -> tuple[_Floats, _Floats]: ...
    @property
    def barycentric_map(self) -> _Floats: ...
    @property
    def iterations(self) -> int: ...
    @property
    def marginal_error(self) -> float: ...
    @property
    def converged(self) -> bool: ...

class Sliced:
    @property
    def value(self) -> float: ...
    @property
    def standard_error(self) -> float: ...
    @property
    def n_projections(self) -> int: ...

class LargestSlice:
    @property
    def value(self) -> float: ...
    @property
    def direction(self) -> _Floats: ...

def emd(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    cost: _Cost = "sqeuclidean",
) -> Transport: ...
def emd_matrix(costs: ArrayLike, a: ArrayLike | None = None, b: ArrayLike | None = None) -> Transport: ...
def emd2(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    cost: _Cost = "sqeuclidean",
) -> float: ...
def emd2_batch(
    xs: ArrayLike | Sequence[ArrayLike],
    ys: ArrayLike | Sequence[ArrayLike],
    cost: _Cost = "sqeuclidean",
) -> _Floats: ...
def sinkhorn(
    x: ArrayLike,
    y: ArrayLike,
    epsilon: float,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    cost: _Cost = "sqeuclidean",
    plan: bool = False,
    tolerance: float = 1e-4,
    max_iterations: int = 5000,
) -> Entropic: ...
def sinkhorn_divergence(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    blur: float = 0.05,
    p: Literal[1, 2] = 2,
    gradient: bool = False,
    tolerance: float = 1e-4,
    max_iterations: int = 5000,
) -> SinkhornDivergence: ...
def wasserstein_1d(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    p: float = 1.0,
) -> Any: ...
def sliced(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    p: float = 2.0,
    n_projections: int = 500,
    seed: int = 0,
) -> Sliced: ...
def max_sliced(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    p: float = 2.0,
    n_projections: int = 500,
    seed: int = 0,
) -> LargestSlice: ...
