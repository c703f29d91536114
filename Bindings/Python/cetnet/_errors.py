"""What can go wrong, as exceptions with the library's own words."""


class CETNetError(Exception):
    """Anything that the library refuses or cannot do."""


class InvalidArgumentError(CETNetError, ValueError):
    """A number out of range, an array of a wrong shape."""


class ModelError(CETNetError):
    """There is no model at the path, or its files are damaged or contradict each other."""


class ImageError(CETNetError):
    """An image cannot be read, decoded or prepared."""


class NotFiniteError(CETNetError, ArithmeticError):
    """Logits are NaN or infinite: there is nothing to rank."""


class NoClassifierError(CETNetError):
    """The model is a backbone without classifier: it gives feature maps only."""


class OutOfMemoryError(CETNetError, MemoryError):
    """There is no memory for the weights, an image or a run."""


class UnavailableError(CETNetError):
    """This machine lacks what was asked for: instructions, OpenBLAS."""


class WrongProcessError(CETNetError):
    """The model was loaded before this process was forked from the one that loaded it."""


# By the numbers of cetnet_status in cetnet.h; from 9 on CETNetError.
_BY_STATUS = (None, InvalidArgumentError, ModelError, ImageError, NotFiniteError, NoClassifierError,
              OutOfMemoryError, UnavailableError, WrongProcessError)


def error(status: int, message: str) -> CETNetError:
    """The exception of a status that is not 0."""
    kind = _BY_STATUS[status] if status < len(_BY_STATUS) else None
    return (kind or CETNetError)(message)
