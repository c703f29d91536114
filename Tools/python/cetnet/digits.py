"""The handwritten digits that scikit-learn bundles, as images of dark ink on light paper.

1,797 images of 8×8 with 17 levels (UCI machine learning repository, "Optical Recognition of Handwritten Digits",
Alpaydin and Kaynak 1998, CC BY 4.0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from .configuration import ModelConfiguration, PreprocessConfiguration

HELD_OUT = 360
SPLIT_SEED = 0
ENLARGED_SIDE = 64

CONFIGURATION = ModelConfiguration(
    dims=(32, 64, 96, 128), depths=(2, 1, 2, 1), num_heads=(1, 2, 3, 4), stem_channels=(16, 32),
    image_size=32, num_labels=10, labels=tuple("0123456789"),
    preprocess=PreprocessConfiguration(crop_pct=1.0, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))


@dataclass(frozen=True)
class Digits:
    """`pixels` (count, 8, 8) uint8 grey, 255 is paper, 0 full ink; `labels` (count) int64."""

    pixels: np.ndarray
    labels: np.ndarray

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[index])

    def enlarged(self, index: int) -> Image.Image:
        """64×64, smooth, for people to look at."""
        return self.image(index).resize((ENLARGED_SIDE, ENLARGED_SIDE), Image.Resampling.BICUBIC)


def load() -> tuple[Digits, Digits]:
    """The training images, and 360 held out (the same share of every digit)."""
    data = load_digits()
    pixels = np.round(255 * (1 - data.images / 16)).astype(np.uint8)
    train_pixels, held_pixels, train_labels, held_labels = train_test_split(
        pixels, data.target, test_size=HELD_OUT, stratify=data.target, random_state=SPLIT_SEED)
    return Digits(train_pixels, train_labels), Digits(held_pixels, held_labels)
