"""Optimal transport between weighted clouds of points, exact values with a proof.

>>> import numpy as np, oplus
>>> x, y = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
>>> found = oplus.ot.emd(x, y)
>>> found.value, found.certified, found.plan.target.tolist()
(1.0, True, [1, 0])

A distance is never just called "W2": `emd2` is min Σ P‖x − y‖², and `sinkhorn_divergence` has the cost ½‖x − y‖².
"""

from ._native import (
    Entropic,
    LargestSlice,
    Plan,
    SinkhornDivergence,
    Sliced,
    Transport,
    emd,
    emd2,
    emd2_batch,
    emd_matrix,
    max_sliced,
    sinkhorn,
    sinkhorn_divergence,
    sliced,
    wasserstein_1d,
)

__all__ = [
    "Entropic",
    "LargestSlice",
    "Plan",
    "SinkhornDivergence",
    "Sliced",
    "Transport",
    "emd",
    "emd2",
    "emd2_batch",
    "emd_matrix",
    "max_sliced",
    "sinkhorn",
    "sinkhorn_divergence",
    "sliced",
    "wasserstein_1d",
]
