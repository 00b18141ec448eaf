from . import errors as errors
from . import ot as ot
from ._native import Flow as Flow
from ._native import train as train
from .errors import CertificateError as CertificateError
from .errors import Error as Error
from .errors import InputError as InputError
from .errors import RunError as RunError
from .errors import UnsupportedError as UnsupportedError
from .estimator import FlowEstimator as FlowEstimator

__version__: str
