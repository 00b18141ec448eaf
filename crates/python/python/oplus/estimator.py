"""A flow as an estimator of scikit-learn."""

from __future__ import annotations

import pathlib
import tempfile
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _native, ot
from .errors import InputError

__all__ = ["FlowEstimator"]


class FlowEstimator(DensityMixin, BaseEstimator):
    """A generative flow from a simple law to the rows of X.

    Parameters
    ----------
    iterations : int, optional
        Iterations of the training; those of the configuration, 3000 by default, if None.
    batch : int, optional
        Points of a minibatch.
    settings : dict, optional
        Any keys of docs/configuration.md, such as {"representation": {"hidden": [128, 128]}}.
    held_out : float
        The share of the rows that the training does not see.
    random_state : int, RandomState or None
        An integer gives the same flow every time.

    Attributes
    ----------
    flow_ : oplus.Flow
        The trained flow, with `transport`, `inverse`, `log_prob` and the records of the training.
    n_features_in_ : int
        The dimension d of the points.

    Examples
    --------
    >>> import numpy as np, oplus
    >>> X = np.random.default_rng(0).normal(size=(500, 2)) + [3.0, 0.0]
    >>> flow = oplus.FlowEstimator(iterations=200, random_state=0).fit(X)
    >>> flow.sample(10).shape
    (10, 2)
    """

    def __init__(
        self,
        *,
        iterations: int | None = None,
        batch: int | None = None,
        settings: dict[str, Any] | None = None,
        held_out: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.iterations = iterations
        self.batch = batch
        self.settings = settings
        self.held_out = held_out
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> FlowEstimator:
        """Trains on the rows of X, [n, d]; `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        config = {**(self.settings or {})}
        given = {"iterations": self.iterations, "batch": self.batch}
        training = {**config.get("training", {}), **{key: value for key, value in given.items() if value is not None}}
        config |= {"training": training, "seed": _seed(self.random_state)}
        config["data"] = {"kind": "array", "held_out": self.held_out, **config.get("data", {})}
        with tempfile.TemporaryDirectory() as folder:
            self.flow_ = _native.train(config, X, out=f"{folder}/run")
            self._run = _files(pathlib.Path(folder, "run"))
        return self

    def __getstate__(self) -> dict[str, Any]:
        # What a flow is made of is its run folder.
        return {name: value for name, value in super().__getstate__().items() if name != "flow_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_run" not in state:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, content in state["_run"].items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            self.flow_ = _native.Flow.load(folder)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Draws points, [n_samples, d]; with random_state None those of the estimator's own."""
        check_is_fitted(self)
        if n_samples < 1:
            raise InputError(f"n_samples is {n_samples}: draw at least 1")
        seed = self.random_state if random_state is None else random_state
        return self.flow_.sample(int(n_samples), seed=_seed(seed))

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the exact W₂² between the rows of X and as many samples: the larger the better, 0 at best.

        Two samples of one law of the same size have a distance too, which this is to be compared with.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        seed = 0 if self.random_state is None else self.random_state
        return -ot.emd2(self.flow_.sample(len(X), seed=_seed(seed)), X)

    def score_samples(self, X: Any) -> np.ndarray:
        """The log-density at the rows of X, in nats, [n]; of flows that have one."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.flow_.log_prob(X)


def _files(folder: pathlib.Path) -> dict[str, bytes]:
    """The contents of the files of a folder, by their paths in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _seed(random_state: Any) -> int:
    """An integer is a seed; a generator draws one."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))
