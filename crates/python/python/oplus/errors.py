"""What the package raises: each message is one sentence with the remedy."""

__all__ = ["CertificateError", "Error", "InputError"]


class Error(Exception):
    """Any error of this package."""


class InputError(Error, ValueError):
    """Arrays or settings that a function does not take."""


class CertificateError(Error, ArithmeticError):
    """A transport plan that is not proved optimal."""
