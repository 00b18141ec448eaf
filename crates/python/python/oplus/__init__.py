"""Exact optimal transport with certificates, and W1 ⊕ W2 proximal generative flows, on numpy arrays.

`oplus.ot` has optimal transport: exact with a proof of optimality, entropic, one-dimensional and sliced. `oplus.train` trains
a flow to an array of points, `oplus.Flow` is what it leaves, and `oplus.FlowEstimator` is the same for scikit-learn.

All arrays hold one point a row, [n, d]; arrays of float64 are read where they lie, other numbers are converted. The global
interpreter lock is released while numbers are computed. Errors are those of `oplus.errors`.
"""

from importlib.metadata import version as _version

from . import errors, ot
from ._native import Flow, train
from .errors import CertificateError, Error, InputError, RunError, UnsupportedError

__version__ = _version("oplus")
__all__ = [
    "CertificateError",
    "Error",
    "Flow",
    "FlowEstimator",
    "InputError",
    "RunError",
    "UnsupportedError",
    "errors",
    "ot",
    "train",
]


def __getattr__(name):
    # The estimator alone needs scikit-learn.
    if name == "FlowEstimator":
        from .estimator import FlowEstimator

        return FlowEstimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
