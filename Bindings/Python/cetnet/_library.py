"""The C library: its structures and functions as `cetnet.h` declares them."""

import ctypes
import os
from ctypes import POINTER, c_char_p, c_float, c_int, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path


class Options(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("threads", c_int32), ("concurrency", c_int32), ("precision", c_int),
                ("backend", c_int)]


class Description(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("labels", c_size_t), ("image_size", c_size_t), ("stages", c_size_t),
                ("parameters", c_size_t), ("multiply_adds", c_size_t), ("weight_bytes", c_size_t),
                ("threads", c_int32), ("concurrency", c_int32), ("precision", c_int), ("task", c_int), ("has_head", c_int32),
                ("kernels", c_char_p)]


class Image(ctypes.Structure):
    _fields_ = [("source", c_int), ("format", c_int), ("name", c_char_p), ("bytes", c_void_p),
                ("byte_count", c_size_t), ("width", c_size_t), ("height", c_size_t), ("bytes_per_row", c_size_t)]


class Prediction(ctypes.Structure):
    _fields_ = [("index", c_uint32), ("probability", c_float)]


class Outcome(ctypes.Structure):
    _fields_ = [("status", c_int), ("count", c_uint32), ("message", c_void_p)]


# In the order of their numbers in cetnet.h.
PRECISIONS = (None, "float32", "bfloat16", "int8")
BACKENDS = ("auto", "openblas")
PIXEL_FORMATS = ("rgb8", "bgr8", "rgba8", "bgra8", "gray8")
TASKS = ("classification", "segmentation")
FILE, ENCODED, PIXELS = 0, 1, 2
LOGITS = ctypes.c_size_t(-1).value

_message = POINTER(c_void_p)
_FUNCTIONS = {
    "version": (c_char_p, []),
    "free": (None, [c_void_p]),
    "load": (c_int, [c_char_p, POINTER(Options), POINTER(c_void_p), _message]),
    "unload": (None, [c_void_p]),
    "describe": (c_int, [c_void_p, POINTER(Description), _message]),
    "label": (c_char_p, [c_void_p, c_size_t]),
    "configuration": (c_int, [c_void_p, POINTER(c_void_p), _message]),
    "classify": (c_int, [c_void_p, POINTER(Image), c_size_t, c_size_t, c_size_t, POINTER(Prediction),
                         POINTER(Outcome), _message]),
    "preprocess": (c_int, [c_void_p, POINTER(Image), c_size_t, c_void_p, c_size_t, _message]),
    "segment": (c_int, [c_void_p, POINTER(Image), POINTER(c_void_p), POINTER(c_size_t), POINTER(c_size_t), _message]),
    "output_shape": (c_int, [c_void_p, c_size_t, c_size_t, c_size_t, POINTER(c_size_t), _message]),
    "run": (c_int, [c_void_p, c_void_p, c_size_t, c_size_t, c_size_t, c_size_t, c_void_p, c_size_t,
                    POINTER(c_void_p), POINTER(c_size_t), _message]),
    "warm_up": (c_int, [c_void_p, c_size_t, c_size_t, c_size_t, _message]),
}


def _open() -> ctypes.CDLL:
    """The library beside this file, or another that the environment variable CETNET_LIBRARY names."""
    path = os.environ.get("CETNET_LIBRARY") or str(Path(__file__).with_name("libcetnet.so"))
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, "cetnet_" + name)
        function.restype, function.argtypes = result, arguments
    return library


library = _open()


def take_text(pointer: int | None) -> str:
    """A text that the library made, which goes back to it."""
    if not pointer:
        return ""
    try:
        return ctypes.string_at(pointer).decode(errors="replace")
    finally:
        library.cetnet_free(pointer)
