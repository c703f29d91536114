"""From an image file to the network's input, with Pillow: the reference for the Swift package's preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .configuration import INTERPOLATIONS, ModelConfiguration, PreprocessConfiguration

RESAMPLING = {name: Image.Resampling[name.upper()] for name in INTERPOLATIONS}


class ImageError(ValueError):
    """A file that is no readable image."""


def decode(path: str | Path, apply_orientation: bool = True) -> Image.Image:
    """8-bit RGB: grey is replicated, alpha dropped, CMYK converted, EXIF's orientation applied unless asked not to."""
    try:
        with Image.open(path) as image:
            image.load()
            if apply_orientation:
                image = ImageOps.exif_transpose(image)
            return to_rgb(image)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise ImageError(f"{path}: {error}") from None


def to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow clips 16-bit grey at 255; keep the high byte, as Pillow itself does for 16-bit colour.
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return image.convert("RGB")


def resized_size(width: int, height: int, shorter: int) -> tuple[int, int]:
    """(width, height) with the shorter side at `shorter` and the other rounded down, as torchvision's `Resize`."""
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def half(margin: int, rounding: str) -> int:
    """What is cut off before a crop, of a margin around it: an odd one's half goes to even, or down."""
    return int(round(margin / 2.0)) if rounding == "even" else int(margin / 2.0)


def resize_and_crop(image: Image.Image, image_size: int, settings: PreprocessConfiguration) -> Image.Image:
    """The shorter side, or with "squash" both sides, to floor(image_size / crop_pct); then the central square."""
    side = int(image_size / settings.crop_pct)
    size = (side, side) if settings.crop_mode == "squash" else resized_size(image.width, image.height, side)
    image = image.resize(size, RESAMPLING[settings.interpolation])
    left, top = (half(length - image_size, settings.crop_rounding) for length in image.size)
    return image.crop((left, top, left + image_size, top + image_size))


def normalize(image: Image.Image, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """RGB → float32 (3, H, W): (x/255 − mean)/std."""
    pixels = torch.from_numpy(np.asarray(image, dtype=np.uint8).copy()).permute(2, 0, 1)
    mean_, std_ = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (mean, std))
    return (pixels.float() / 255 - mean_) / std_


def preprocess(image: Image.Image, configuration: ModelConfiguration) -> Tensor:
    """A decoded image → float32 (3, image_size, image_size), as the model's configuration says."""
    settings = configuration.preprocess
    square = resize_and_crop(image, configuration.image_size, settings)
    return normalize(square, settings.mean, settings.std)
