"""Image files that put decoding and resizing to the test: photographs that scikit-learn and scikit-image bundle, and
variations of them in odd sizes and in every form of JPEG and PNG."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png"}

# (width, height): odd, extreme, smaller and larger than the networks' inputs, and just at them.
SIZES = [(333, 501), (641, 427), (1025, 257), (97, 61), (31, 47), (224, 224), (248, 248), (249, 247), (225, 1201),
         (3, 5), (1600, 1067)]
ORIENTATION = 0x0112


def bundled() -> list[Path]:
    """Every JPEG and PNG inside the two packages."""
    folders = [Path(str(files("sklearn.datasets") / "images")), Path(str(files("skimage") / "data"))]
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]


def variations(folder: Path) -> Iterator[Path]:
    """Writes and yields one file after another."""
    named = {path.name: path for path in bundled()}
    china, flower, cat = (Image.open(named[name]).convert("RGB") for name in ("china.jpg", "flower.jpg", "chelsea.png"))

    def path(name: str) -> Path:
        return folder / name

    def saved(image: Image.Image, name: str, **options: object) -> Path:
        image.save(path(name), **options)
        return path(name)

    for width, height in SIZES:
        image = (flower if width > height else china).resize((width, height), Image.Resampling.LANCZOS)
        yield saved(image, f"{width}x{height}.png")
        yield saved(image, f"{width}x{height}.jpg", quality=90)
    yield saved(china.crop((101, 57, 500, 310)), "cropped.png")
    yield saved(cat.crop((50, 20, 303, 301)), "cropped.jpg", quality=75)

    yield saved(china, "subsampling-444.jpg", quality=95, subsampling=0)
    yield saved(china, "subsampling-422.jpg", quality=85, subsampling=1)
    yield saved(cat, "subsampling-420.jpg", quality=60, subsampling=2)
    yield saved(flower, "progressive.jpg", quality=80, progressive=True)
    yield saved(flower.convert("L"), "grey.jpg", quality=90)
    yield saved(china.convert("CMYK"), "cmyk.jpg", quality=90)
    yield saved(flower.convert("CMYK"), "cmyk-progressive.jpg", quality=90, progressive=True)

    alpha = Image.fromarray(np.tile(np.linspace(0, 255, cat.width).astype(np.uint8), (cat.height, 1)))
    with_alpha, grey = cat.copy(), cat.convert("L")
    with_alpha.putalpha(alpha)
    yield saved(with_alpha, "alpha.png")
    yield saved(grey, "grey.png")
    yield saved(Image.merge("LA", (grey, alpha)), "grey-alpha.png")
    yield saved(cat.quantize(64), "palette.png")
    yield saved(cat.quantize(5), "palette-3-bit.png")
    yield saved(cat.quantize(32), "palette-transparency.png", transparency=3)
    yield saved(grey, "grey-transparency.png", transparency=100)
    yield saved(cat, "rgb-transparency.png", transparency=(10, 20, 30))
    yield saved(cat.convert("1"), "one-bit.png")

    # 16 bits, low bytes not zero; Pillow cannot write 16-bit colour.
    noise = np.random.default_rng(0).integers(0, 256, (cat.height, cat.width, 4), dtype=np.uint16)
    wide = (np.asarray(with_alpha).astype(np.uint16) << 8) | noise
    for name, colour_type, channels in (("grey", 0, wide[:, :, :1]), ("rgb", 2, wide[:, :, :3]), ("rgba", 6, wide)):
        path(f"16-bit-{name}.png").write_bytes(png_16_bit(channels, colour_type))
        yield path(f"16-bit-{name}.png")

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield saved(china, f"exif-{orientation}.jpg", quality=90, exif=exif)
        if orientation in (3, 6):
            yield saved(cat, f"exif-{orientation}.png", exif=exif)


def png_16_bit(pixels: np.ndarray, colour_type: int) -> bytes:
    """A PNG file of uint16 (H, W, channels), unfiltered."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    data = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
