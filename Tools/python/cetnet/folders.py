"""Labelled images in folders: `train/LABEL/*.jpg` and `val/LABEL/*.jpg`."""

from __future__ import annotations

import math
import random
from pathlib import Path

import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from .configuration import ModelConfiguration
from .preprocessing import RESAMPLING, ImageError, decode, normalize, preprocess

SUFFIXES = {".jpg", ".jpeg", ".png"}


class ImageFolder(Dataset):
    """Images of the folders below `root`, one folder per label, labels in alphabetical order.

    With `augment`, a random crop of 8 % to 100 % of the area and a random mirror, and with `rand_augment` above 0 two
    random changes of that strength; else the model's own preprocessing.
    """

    def __init__(self, root: Path, configuration: ModelConfiguration, augment: bool, smallest_crop: float = 0.08,
                 mirror: bool = True, rand_augment: int = 0) -> None:
        if not root.is_dir():
            raise ImageError(f"{root}: no such folder")
        self.labels = tuple(sorted(path.name for path in root.iterdir() if path.is_dir()))
        self.files = [(path, index) for index, label in enumerate(self.labels)
                      for path in sorted((root / label).rglob("*")) if path.suffix.lower() in SUFFIXES]
        if not self.files:
            raise ImageError(f"{root}: no images (*.jpg, *.jpeg, *.png) in folders named after their labels")
        self.configuration, self.augment = configuration, augment
        self.smallest_crop, self.mirror, self.rand_augment = smallest_crop, mirror, rand_augment

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.files[index]
        image = decode(path)
        if not self.augment:
            return preprocess(image, self.configuration), label
        settings, side = self.configuration.preprocess, self.configuration.image_size
        image = random_crop(image, side, self.smallest_crop, RESAMPLING[settings.interpolation])
        if self.mirror and random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.rand_augment:
            image = changed(image, self.rand_augment)
        return normalize(image, settings.mean, settings.std), label


def changed(image: Image.Image, strength: int, count: int = 2) -> Image.Image:
    """`count` random changes, as RandAugment (arXiv 1909.13719) makes them, of a strength from 1 to 10."""
    share, sign = strength / 10, random.choice((-1, 1))
    side = image.size[0]

    def moved(*coefficients: float) -> Image.Image:
        return image.transform(image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR,
                               fillcolor=(128, 128, 128))

    changes = {
        "rotate": lambda: image.rotate(sign * 30 * share, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128)),
        "shear x": lambda: moved(1, sign * 0.3 * share, 0, 0, 1, 0),
        "shear y": lambda: moved(1, 0, 0, sign * 0.3 * share, 1, 0),
        "shift x": lambda: moved(1, 0, sign * 0.45 * share * side, 0, 1, 0),
        "shift y": lambda: moved(1, 0, 0, 0, 1, sign * 0.45 * share * side),
        "brightness": lambda: ImageEnhance.Brightness(image).enhance(1 + sign * 0.9 * share),
        "contrast": lambda: ImageEnhance.Contrast(image).enhance(1 + sign * 0.9 * share),
        "colour": lambda: ImageEnhance.Color(image).enhance(1 + sign * 0.9 * share),
        "sharpness": lambda: ImageEnhance.Sharpness(image).enhance(1 + sign * 0.9 * share),
        "posterize": lambda: ImageOps.posterize(image, 8 - round(4 * share)),
        "solarize": lambda: ImageOps.solarize(image, 256 - round(256 * share)),
        "equalize": lambda: ImageOps.equalize(image), "autocontrast": lambda: ImageOps.autocontrast(image)}
    for name in random.choices(list(changes), k=count):
        image = changes[name]()
    return image


def random_crop(image: Image.Image, side: int, smallest: float, resampling: Image.Resampling) -> Image.Image:
    """A random part of the image with an aspect ratio of 3:4 to 4:3, resized to side × side."""
    width, height = image.size
    for _ in range(10):
        area = width * height * random.uniform(smallest, 1)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w), random.randint(0, height - h)
            return image.resize((side, side), resampling, box=(left, top, left + w, top + h))
    return image.resize((side, side), resampling)


def seed_worker(_: int) -> None:
    """Gives each loading process its own reproducible stream for `random`."""
    random.seed(torch.initial_seed())
