"""A loaded model."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from . import _library as lib
from ._errors import CETNetError, InvalidArgumentError, error
from ._images import Image, fill, is_one, path_bytes

Precision: TypeAlias = Literal["float32", "bfloat16", "int8"]
Backend: TypeAlias = Literal["auto", "openblas"]
Floats: TypeAlias = NDArray[np.float32]

_BATCH = 8


class Prediction(NamedTuple):
    """A label that a model gives an image."""

    #: Position in the logits, from 0.
    index: int
    #: Its name in the model's configuration.
    label: str
    #: Softmax over all labels, 0 to 1.
    probability: float


def load(
    path: str | os.PathLike[str], *, precision: Precision | None = None, threads: int | None = None,
    concurrency: int | None = None, backend: Backend = "auto",
) -> "Model":
    """Loads a model.

    Args:
        path: A directory with ``config.json`` and ``model.safetensors``, or one ``.safetensors`` file with the
            configuration in its metadata. Public checkpoints of Swin, PVT and CvT load as they are downloaded.
        precision: What linear layers and dense convolutions are computed in; any file runs in any. By
            default what the model was quantised for, else float32.
        threads: Threads of one run, 1 to 64; by default every CPU that this process may use.
        concurrency: Runs at the same time, 1 to 64; more wait for their turn. By default as many as fill the CPUs with
            ``threads`` each.
        backend: ``"openblas"`` multiplies matrices by OpenBLAS, which must then be installed.

    Raises:
        ModelError: There is no model, or its files are damaged or contradict each other.
        CETNetError: Of another kind, for what this machine lacks or an option out of range.
    """
    return Model(path, precision=precision, threads=threads, concurrency=concurrency, backend=backend)


class Model:
    """A CETNet vision model, made by :func:`load`.

    Any number of threads may use one at the same time; the interpreter's lock is released while the library works.
    The result for an image is the same bit for bit whatever the batch, its neighbours and the number of threads.

    A model cannot be used in a child of ``fork`` (the way of ``multiprocessing`` on Linux before Python 3.14): load it there.
    """

    #: The names of what it tells apart, in the order of the logits.
    labels: tuple[str, ...]
    #: Side of the square that images are cropped to.
    image_size: int
    #: How many feature maps it gives.
    stages: int
    #: Trained scalars.
    parameters: int
    #: For one image; one multiply-add is two floating point operations.
    multiply_adds: int
    #: Bytes of weights held in memory.
    weight_bytes: int
    #: Threads of one run.
    threads: int
    #: Runs at the same time.
    concurrency: int
    #: What linear layers and dense convolutions are computed in.
    precision: Precision
    #: Whether images or their pixels are labelled: :meth:`classify` or :meth:`segment`.
    task: Literal["classification", "segmentation"]
    #: Whether it has logits; a backbone without head gives feature maps only.
    has_head: bool
    #: The instructions that it runs on, ``avx512`` for instance.
    kernels: str
    #: The model's ``config.json``.
    configuration: dict[str, Any]

    def __init__(
        self, path: str | os.PathLike[str], *, precision: Precision | None = None, threads: int | None = None,
        concurrency: int | None = None, backend: Backend = "auto",
    ) -> None:
        """As :func:`load`."""
        self._handle: int | None = None
        options = lib.Options(
            ctypes.sizeof(lib.Options), _count("threads", threads), _count("concurrency", concurrency),
            _choice("precision", precision, lib.PRECISIONS), _choice("backend", backend, lib.BACKENDS))
        handle = ctypes.c_void_p()
        _check(lib.library.cetnet_load, path_bytes(path), ctypes.byref(options), ctypes.byref(handle))
        self._handle = handle.value
        self._path = os.fspath(path)
        found = lib.Description(ctypes.sizeof(lib.Description))
        _check(lib.library.cetnet_describe, self._handle, ctypes.byref(found))
        self.labels = tuple(
            lib.library.cetnet_label(self._handle, index).decode() for index in range(found.labels))
        self.image_size, self.stages, self.parameters = found.image_size, found.stages, found.parameters
        self.multiply_adds, self.weight_bytes = found.multiply_adds, found.weight_bytes
        self.threads, self.concurrency = found.threads, found.concurrency
        self.precision = lib.PRECISIONS[found.precision]  # type: ignore[assignment]
        self.task = lib.TASKS[found.task]  # type: ignore[assignment]
        self.has_head, self.kernels = bool(found.has_head), found.kernels.decode()
        text = ctypes.c_void_p()
        _check(lib.library.cetnet_configuration, self._handle, ctypes.byref(text))
        self.configuration = json.loads(lib.take_text(text.value))

    def __del__(self) -> None:
        # A call under way holds a reference to the model, so none is left here.
        handle = getattr(self, "_handle", None)
        if handle and lib is not None:
            lib.library.cetnet_unload(handle)

    def __repr__(self) -> str:
        size = f"{self.image_size}×{self.image_size}"
        return f"<cetnet.Model {self._path!r}: {len(self.labels)} labels, {size}, {self.precision}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a loaded model cannot be pickled; send its path and load it there")

    @overload
    def classify(self, images: Image, *, top: int = 5, batch: int = _BATCH) -> list[Prediction]: ...
    @overload
    def classify(
        self, images: Iterable[Image], *, top: int = 5, batch: int = _BATCH
    ) -> list[list[Prediction] | CETNetError]: ...
    def classify(self, images: Any, *, top: int = 5, batch: int = _BATCH) -> Any:
        """Classifies an image or several: resizes, crops and normalises them as the configuration says.

        Args:
            images: One image, or an iterable of any number; an array of four axes is several. See
                :data:`cetnet.Image`. Files are turned upright as their EXIF data says, Pillow's images and arrays are
                taken as they are.
            top: How many predictions to give for each image; fewer if the model has fewer labels.
            batch: How many images run together. Changes speed and memory, never results.

        Returns:
            For one image its predictions, the most probable first. For several a list, in order, of such lists; an
            image that failed has the error that is wrong with it in its place.

        Raises:
            CETNetError: The one image failed, or none can be run.
        """
        if is_one(images):
            (result,) = self.classifications([images], top=top, batch=batch)
            if isinstance(result, CETNetError):
                raise result
            return result
        return list(self.classifications(images, top=top, batch=batch))

    def classifications(
        self, images: Iterable[Image], *, top: int = 5, batch: int = _BATCH
    ) -> Iterator[list[Prediction] | CETNetError]:
        """The classifications of any number of images, in order, as they come.

        Images are taken as they are needed, some dozens at a time, so there may be endlessly many.
        """
        if top < 0 or batch < 1:
            raise InvalidArgumentError(f"top is {top} and batch {batch}; allowed are 0 or more and 1 or more")
        top = min(top, len(self.labels))
        # Enough for every thread, as the library itself groups them, a few times over.
        size = 4 * batch * -(-self.threads // batch)
        images = iter(images)
        while group := list(islice(images, size)):
            yield from self._classify(group, top, batch)

    def _classify(self, images: list[Any], top: int, batch: int) -> list[list[Prediction] | CETNetError]:
        count = len(images)
        described, alive = _describe(images)
        outcomes = (lib.Outcome * count)()
        predictions = (lib.Prediction * (count * top))()
        _check(lib.library.cetnet_classify, self._handle, described, count, top, batch, predictions, outcomes)
        del alive
        results: list[list[Prediction] | CETNetError] = []
        for index, outcome in enumerate(outcomes):
            if outcome.status != 0:
                results.append(error(outcome.status, lib.take_text(outcome.message)))
                continue
            ranked = predictions[index * top:index * top + outcome.count]
            results.append([Prediction(p.index, self.labels[p.index], p.probability) for p in ranked])
        return results

    def segment(self, image: Image) -> NDArray[np.int32]:
        """Labels every pixel of an image, in its own size, by a segmentation model.

        Returns:
            int32 (height, width): positions in :attr:`labels`.
        """
        described, alive = _describe([image])
        labels, height, width = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
        _check(lib.library.cetnet_segment, self._handle, described, ctypes.byref(labels), ctypes.byref(height),
               ctypes.byref(width))
        del alive
        try:
            pixels = ctypes.cast(labels, ctypes.POINTER(ctypes.c_int32))
            return np.ctypeslib.as_array(pixels, (height.value, width.value)).copy()
        finally:
            lib.library.cetnet_free(labels)

    def preprocess(self, images: Image | Iterable[Image]) -> Floats:
        """The tensor that the model sees of images: resized, cropped and normalised.

        Returns:
            float32 (images, 3, image_size, image_size).

        Raises:
            ImageError: For the first image that cannot be prepared.
        """
        images = [images] if is_one(images) else list(images)  # type: ignore[arg-type]
        tensor = np.empty((len(images), 3, self.image_size, self.image_size), dtype=np.float32)
        described, alive = _describe(images)
        _check(lib.library.cetnet_preprocess, self._handle, described, len(images), tensor.ctypes.data, tensor.size)
        del alive
        return tensor

    def logits(self, tensor: Floats, *, out: Floats | None = None) -> Floats:
        """The logits of normalised images.

        Args:
            tensor: (batch, 3, height, width) as :meth:`preprocess` makes it, of any size from 32×32. Read where it is
                if it is float32 and in C order, else copied.
            out: float32 in C order, of the result's shape, which receives the logits and is returned.

        Returns:
            float32 (batch, labels), of a segmentation model (batch, labels, ⌈height/4⌉, ⌈width/4⌉).
        """
        return self._run(tensor, out, None)

    def features(self, tensor: Floats) -> list[Floats]:
        """The feature maps of the stages, each before the final norm: what detection and segmentation heads take.

        Returns:
            For each stage, float32 (batch, channels, height, width).
        """
        tensor = _images(tensor)
        maps = [np.empty(self._output_shape(tensor, stage), dtype=np.float32) for stage in range(self.stages)]
        self._run(tensor, None, maps)
        return maps

    def _output_shape(self, tensor: Floats, output: int) -> tuple[int, ...]:
        if output == lib.LOGITS and self.task == "classification" and self.has_head:
            return (len(tensor), len(self.labels))
        shape = (ctypes.c_size_t * 3)()
        _check(lib.library.cetnet_output_shape, self._handle, output, *tensor.shape[2:], shape)
        return (len(tensor), *shape)

    def _run(self, tensor: Any, out: Floats | None, maps: list[Floats] | None) -> Any:
        tensor = _images(tensor)
        if maps is None:
            shape = self._output_shape(tensor, lib.LOGITS)
            if out is None:
                out = np.empty(shape, dtype=np.float32)
            elif out.shape != shape or out.dtype != np.float32 or not out.flags.carray:
                raise InvalidArgumentError(
                    f"out must be a writeable float32 array of shape {shape} in C order, "
                    f"found {out.dtype} {out.shape}")
        addresses = maps and (ctypes.c_void_p * len(maps))(*[a.ctypes.data for a in maps])
        counts = maps and (ctypes.c_size_t * len(maps))(*[a.size for a in maps])
        _check(
            lib.library.cetnet_run, self._handle, tensor.ctypes.data, tensor.size, *_batch_and_size(tensor),
            None if out is None else out.ctypes.data, 0 if out is None else out.size, addresses, counts)
        return out

    def warm_up(self, *, height: int = 0, width: int = 0, batch: int = 1) -> None:
        """Makes the first runs of images of a size, by default the model's, as fast as those that follow."""
        _check(lib.library.cetnet_warm_up, self._handle, _positive(height), _positive(width), _positive(batch))


def _check(function: Any, *arguments: Any) -> None:
    """Calls a function of the library, whose last argument is the message."""
    message = ctypes.c_void_p()
    status = function(*arguments, ctypes.byref(message))
    if status != 0:
        raise error(status, lib.take_text(message.value))


def _describe(images: list[Any]) -> tuple[Any, list[Any]]:
    described = (lib.Image * len(images))()
    return described, [fill(target, image) for target, image in zip(described, images)]


def _images(tensor: Any) -> Floats:
    tensor = np.ascontiguousarray(tensor, dtype=np.float32)
    if tensor.ndim != 4 or tensor.shape[1] != 3 or len(tensor) == 0:
        raise InvalidArgumentError(f"expected a tensor of shape (batch, 3, height, width), found {tensor.shape}")
    return tensor


def _batch_and_size(tensor: Floats) -> tuple[int, int, int]:
    return tensor.shape[0], tensor.shape[2], tensor.shape[3]


def _positive(value: int) -> int:
    if not 0 <= value < 1 << 62:
        raise InvalidArgumentError(f"expected a size or a count, found {value}")
    return value


def _count(name: str, value: int | None) -> int:
    if value is None:
        return 0
    if not 1 <= value <= 64:
        raise InvalidArgumentError(f"{name} is {value}; allowed are 1 to 64")
    return value


def _choice(name: str, value: str | None, allowed: tuple[str | None, ...]) -> int:
    if value not in allowed:
        raise InvalidArgumentError(f"{name} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return allowed.index(value)

