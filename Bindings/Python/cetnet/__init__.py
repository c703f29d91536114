"""CETNet vision models on the CPU.

    >>> import cetnet
    >>> model = cetnet.load("models/digits")
    >>> model.classify("models/digits/images/digit-7-held-out-000.png", top=1)
    [Prediction(index=7, label='7', probability=0.91…)]

The library is in the package; nothing else need be installed but NumPy.
"""

from . import _library
from ._errors import (
    CETNetError, ImageError, InvalidArgumentError, ModelError, NoClassifierError, NotFiniteError, OutOfMemoryError,
    UnavailableError, WrongProcessError,
)
from ._images import Image
from ._model import Model, Prediction, load

__all__ = [
    "CETNetError", "Image", "ImageError", "InvalidArgumentError", "Model", "ModelError", "NoClassifierError",
    "NotFiniteError", "OutOfMemoryError", "Prediction", "UnavailableError", "WrongProcessError", "load",
]

#: The version of the library.
__version__: str = _library.library.cetnet_version().decode()
