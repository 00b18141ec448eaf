"""What the package raises: each message is one sentence with the remedy."""

__all__ = ["CertificateError", "Error", "InputError", "RunError", "UnsupportedError"]


class Error(Exception):
    """Any error of this package."""


class InputError(Error, ValueError):
    """Arrays or settings that a function does not take."""


class CertificateError(Error, ArithmeticError):
    """A transport plan that is not proved optimal."""


class RunError(Error, RuntimeError):
    """A run folder that cannot be used, or a training that cannot go on."""


class UnsupportedError(Error, NotImplementedError):
    """Something that this kind of model does not have."""
