"""Exact optimal transport with certificates, and W1 ⊕ W2 proximal generative flows, on numpy arrays.

`oplus.ot` has optimal transport: exact with a proof of optimality, entropic, one-dimensional and sliced. All arrays hold one
point a row, [n, d]; arrays of float64 are read where they lie, other numbers are converted. The global interpreter lock is
released while numbers are computed. Errors are those of `oplus.errors`.
"""

from importlib.metadata import version as _version

from . import errors, ot
from .errors import CertificateError, Error, InputError

__version__ = _version("oplus")
__all__ = ["CertificateError", "Error", "InputError", "errors", "ot"]
