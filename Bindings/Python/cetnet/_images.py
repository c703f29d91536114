"""Images as the C library takes them."""

import os
from typing import Any, Protocol, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from . import _library as lib
from ._errors import InvalidArgumentError

class PillowImage(Protocol):
    """What is needed of a ``PIL.Image.Image``; Pillow need not be installed."""

    mode: str

    def convert(self, mode: str) -> Any: ...
    def getbands(self) -> tuple[str, ...]: ...


#: A path, the bytes of a JPEG or PNG file, a Pillow image, or pixels: uint8 of shape (height, width), (height, width, 3)
#: for RGB or (height, width, 4) for RGBA.
Image: TypeAlias = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, NDArray[np.uint8], PillowImage]

_CHANNELS = {1: "gray8", 3: "rgb8", 4: "rgba8"}


def is_one(images: Any) -> bool:
    """Whether it is one image and not several."""
    if isinstance(images, np.ndarray):
        return images.ndim < 4 and images.dtype != object
    return isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview)) or _is_pillow(images)


def _is_pillow(image: Any) -> bool:
    return hasattr(image, "getbands") and hasattr(image, "convert")


def path_bytes(path: "str | os.PathLike[str]") -> bytes:
    """A path as the C library takes it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise InvalidArgumentError(f"a path cannot contain a zero byte, found {path!r}")
    return encoded


def fill(target: lib.Image, image: Any) -> Any:
    """Describes an image to the C library, by its address where it lies.

    Returns what must live until the call is over.
    """
    if isinstance(image, (str, os.PathLike)):
        path = path_bytes(image)
        target.source, target.name = lib.FILE, path
        return path
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = np.frombuffer(image, dtype=np.uint8)
        target.source = lib.ENCODED
        target.bytes, target.byte_count = data.ctypes.data, data.size
        return data
    if _is_pillow(image):
        image = np.asarray(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))
    if not isinstance(image, np.ndarray):
        raise TypeError(f"expected a path, bytes, a Pillow image or an array, found {type(image).__name__}")
    if image.dtype != np.uint8:
        raise TypeError(f"expected pixels of type uint8, found {image.dtype}; normalised tensors go to logits()")
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in _CHANNELS or 0 in image.shape:
        raise InvalidArgumentError(
            f"expected pixels of shape (height, width), (height, width, 3) or (height, width, 4), found {image.shape}")
    # Rows may have gaps between them; the pixels of a row may not.
    height, width = image.shape[:2]
    row_is_whole = image.strides[1] == channels and (image.ndim == 2 or image.strides[2] == 1)
    if not row_is_whole or image.strides[0] < width * channels:
        image = np.ascontiguousarray(image)
    # The distance of rows says nothing where there is one.
    bytes_per_row = image.strides[0] if height > 1 else width * channels
    target.source, target.format = lib.PIXELS, lib.PIXEL_FORMATS.index(_CHANNELS[channels])
    target.height, target.width, target.bytes_per_row = height, width, bytes_per_row
    target.bytes, target.byte_count = image.ctypes.data, bytes_per_row * (height - 1) + width * channels
    return image
