"""Fashion-MNIST: 60,000 training and 10,000 test photographs of clothes, 28×28 grey, ten labels.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017,
arXiv 1708.07747; MIT licence. Debian has it: `apt-get install dataset-fashion-mnist`.
"""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .commands import CommandError
from .configuration import ModelConfiguration, PreprocessConfiguration

FOLDER = Path("/usr/share/datasets/fashion-mnist")
LABELS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

CONFIGURATION = ModelConfiguration(
    dims=(32, 64, 96, 128), depths=(1, 1, 2, 1), num_heads=(1, 2, 3, 4), stem_channels=(16, 32),
    image_size=56, num_labels=10, labels=LABELS,
    preprocess=PreprocessConfiguration(crop_pct=1.0, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))


@dataclass(frozen=True)
class Fashion:
    """`pixels` (count, 28, 28) uint8, 0 is the black ground; `labels` (count) int64."""

    pixels: np.ndarray
    labels: np.ndarray

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[index])


def load(folder: Path = FOLDER) -> tuple[Fashion, Fashion]:
    """The training and the test images."""
    train, test = (
        Fashion(_read(folder / f"{name}-images-idx3-ubyte.gz"),
                _read(folder / f"{name}-labels-idx1-ubyte.gz").astype(np.int64))
        for name in ("train", "t10k"))
    return train, test


def write_images(data: Fashion, folder: Path, count: int | None = None) -> None:
    """The first `count` images (default: all) as PNG, `LABEL/INDEX.png`, with `labels.csv` (path, number of the label).

    The folder of "T-shirt/top" is "T-shirt-top": `cetnet evaluate` reads the numbers in `labels.csv`.
    """
    rows = ["path,label"]
    for index in range(len(data.labels) if count is None else count):
        label = int(data.labels[index])
        path = folder / LABELS[label].replace("/", "-") / f"{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        data.image(index).save(path)
        rows.append(f"{path.relative_to(folder)},{label}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def _read(path: Path) -> np.ndarray:
    """An IDX file of unsigned bytes: two zeros, 8, the number of axes, big-endian extents, then the values."""
    try:
        data = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file; Debian: apt-get install dataset-fashion-mnist") from None
    except OSError as error:
        raise CommandError(f"{path}: {error}") from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise CommandError(f"{path}: no IDX file of bytes")
    extents = np.frombuffer(data, ">u4", data[3], 4).tolist()
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if len(values) != math.prod(extents):
        raise CommandError(f"{path}: {len(values)} values where {extents} are told")
    return values.reshape(extents)
