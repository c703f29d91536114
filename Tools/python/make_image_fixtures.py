#!/usr/bin/env python3
"""Makes the fixtures of Tests/PreprocessingTests and Tests/ImagingTests with Pillow and NumPy.

    python Tools/python/make_image_fixtures.py

Everything is seeded; the same versions of Pillow and NumPy write the same files. Made with Pillow 13.0. Each folder
gets a `cases.json` that lists inputs and expected outputs; pixels are raw bytes, row by row, channels interleaved.
"""

import argparse
import io
import json
import math
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[2]
README = "Written by Tools/python/make_image_fixtures.py; do not edit by hand.\n"


def fresh_folder(area):
    folder = ROOT / "Tests" / area / "Fixtures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(README)
    return folder


def picture(width, height, channels=3, seed=0):
    """Smooth colours with hard edges and some noise: what filters ring at and round differently on."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = 127 + 90 * np.sin(x / (3.0 + 2 * c) + c) * np.cos(y / (4.0 + c))
        edges = np.where((x // 7 + y // 5 + c) % 4 == 0, 120, 0)
        planes.append(wave + edges + rng.normal(0, 12, (height, width)))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


# Preprocessing


def resize_and_crop(image, side, crop, filter):
    """torchvision's Resize(side) and CenterCrop(crop) on a Pillow image."""
    width, height = image.size
    if width <= height:
        size = (side, int(side * height / width))
    else:
        size = (int(side * width / height), side)
    if size != image.size:
        image = image.resize(size, filter)

    width, height = image.size
    left, top = max(crop - width, 0) // 2, max(crop - height, 0) // 2
    if left or top or width < crop or height < crop:
        padded = Image.new(image.mode, (max(width, crop), max(height, crop)))
        padded.paste(image, (left, top))
        image = padded
        width, height = image.size
    left, top = round((width - crop) / 2), round((height - crop) / 2)
    return image.crop((left, top, left + crop, top + crop))


FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
MEAN = [0.485, 0.456, 0.406]
DEVIATION = [0.229, 0.224, 0.225]


def preprocessing():
    folder = fresh_folder("PreprocessingTests")
    inputs = {
        "landscape": picture(131, 77, seed=1),
        "portrait": picture(58, 101, seed=2),
        "small": picture(19, 14, seed=3),
        "square": picture(64, 64, seed=4),
        "dot": picture(1, 1, seed=5),
        "tower": picture(5, 240, seed=6),
        "wall": picture(240, 5, seed=7),
        "tall": picture(47, 143, seed=8),
        # Just on either side of where Pillow changes the order of its passes.
        "upright": picture(60, 119, seed=16),
        "taller": picture(60, 122, seed=17),
        "grey": picture(83, 66, channels=1, seed=9),
        "checks": np.repeat((np.indices((90, 118)).sum(0) % 2 * 255).astype(np.uint8)[..., None], 3, -1),
    }
    for name, pixels in inputs.items():
        (folder / f"{name}.raw").write_bytes(pixels.tobytes())

    settings = [(name, "bicubic", 28, 0.9) for name in inputs] + [(name, "bilinear", 21, 0.875) for name in inputs]
    settings += [("landscape", filter, 30, 0.95) for filter in FILTERS]
    settings += [("tall", filter, 17, 1.0) for filter in FILTERS]
    settings += [("small", filter, 40, 0.8) for filter in FILTERS]
    # Crops whose margin is 1, 2, 3 and 5 pixels: halves go to the even neighbour. No resizing; black borders.
    settings += [("square", "bicubic", crop, (crop + 0.5) / 64) for crop in (63, 62, 61, 59)]
    settings += [("square", "bicubic", 64, 1.0), ("landscape", "bicubic", 33, 1.3), ("portrait", "bilinear", 32, 1.75)]

    cases = []
    for number, (name, filter, crop, fraction) in enumerate(settings):
        pixels = inputs[name]
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        result = np.asarray(resize_and_crop(image, math.floor(crop / fraction), crop, FILTERS[filter]))
        expected = f"expected-{number:02}.raw"
        (folder / expected).write_bytes(result.tobytes())
        height, width, channels = pixels.shape
        cases.append({
            "input": f"{name}.raw", "width": width, "height": height, "format": "rgb8" if channels == 3 else "gray8",
            "interpolation": filter, "imageSize": crop, "cropFraction": fraction, "expected": expected,
        })
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")

    # Normalised values of all 256 bytes, per channel: to_tensor and normalize of torchvision, in float32.
    values = np.arange(256, dtype=np.float32) / np.float32(255)
    tables = [(values - np.float32(m)) / np.float32(s) for m, s in zip(MEAN, DEVIATION)]
    (folder / "normalized.f32").write_bytes(np.stack(tables).astype("<f4").tobytes())


# Encoded images


def png(pixels, colour_type, depth, interlaced=False, chunks=(), palette=None):
    """A PNG file of a (height, width, samples) array. `chunks` go before the image data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def rows(part):
        if part.size == 0:
            return b""
        if depth == 16:
            lines = part.astype(">u2").reshape(part.shape[0], -1).view(np.uint8)
        elif depth == 8:
            lines = part.astype(np.uint8).reshape(part.shape[0], -1)
        else:
            bits = np.unpackbits(part.astype(np.uint8).reshape(part.shape[0], -1, 1), axis=2)[..., 8 - depth :]
            lines = np.packbits(bits.reshape(part.shape[0], -1), axis=1)
        return b"".join(b"\0" + line.tobytes() for line in lines)

    height, width = pixels.shape[:2]
    if interlaced:
        adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        data = b"".join(rows(pixels[y::dy, x::dx]) for y, x, dy, dx in adam7)
    else:
        data = rows(pixels)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    result = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette is not None:
        result += chunk(b"PLTE", palette.tobytes())
    for kind, body in chunks:
        result += chunk(kind, body)
    return result + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def pngs():
    """Every colour type and depth, straight and interlaced, and chunks that must not change the values."""
    rng = np.random.default_rng(10)
    width, height = 13, 11
    for colour_type, name, samples, depths in [
        (0, "grey", 1, [1, 2, 4, 8, 16]), (2, "rgb", 3, [8, 16]), (3, "palette", 1, [1, 2, 4, 8]),
        (4, "greyalpha", 2, [8, 16]), (6, "rgba", 4, [8, 16]),
    ]:
        for depth in depths:
            pixels = rng.integers(0, 2**depth, (height, width, samples))
            palette = rng.integers(0, 256, (2**depth, 3), dtype=np.uint8) if colour_type == 3 else None
            if colour_type == 3 and depth == 8:
                # A short palette, and indices beyond it.
                palette = palette[:200]
            transparent = {
                0: struct.pack(">H", int(pixels[0, 0, 0])),
                2: struct.pack(">HHH", *map(int, pixels[0, 0, :3])) if samples >= 3 else b"",
                3: bytes(rng.integers(0, 256, len(palette), dtype=np.uint8)) if palette is not None else b"",
            }.get(colour_type)
            for interlaced in (False, True):
                label = f"{name}{depth}" + ("-interlaced" if interlaced else "")
                yield label, png(pixels, colour_type, depth, interlaced, palette=palette)
            if transparent:
                chunks = [(b"tRNS", transparent)]
                yield f"{name}{depth}-transparent", png(pixels, colour_type, depth, chunks=chunks, palette=palette)
    pixels = rng.integers(0, 256, (height, width, 3))
    gamma = [(b"gAMA", struct.pack(">I", 100000)), (b"bKGD", struct.pack(">HHH", 9, 99, 199))]
    yield "rgb8-gamma", png(pixels, 2, 8, chunks=gamma)
    yield "rgb16-gamma", png(pixels * 257, 2, 16, chunks=gamma)
    yield "rgba8-gamma", png(rng.integers(0, 256, (height, width, 4)), 6, 8, chunks=gamma)
    yield "rgb8-turned", png(pixels, 2, 8, chunks=[(b"eXIf", exif(6, "<"))])
    yield "pixel", png(pixels[:1, :1], 2, 8)


def exif(orientation, order):
    """EXIF data with an orientation between two other tags."""
    entries = [(0x010F, 2, 4, b"abc\0"), (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0)),
               (0x0128, 3, 1, struct.pack(order + "HH", 2, 0))]
    data = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack(order + "HHI", tag, kind, count) + value
    return data + struct.pack(order + "I", 0)


def jpeg(pixels, mode="RGB", **options):
    data = io.BytesIO()
    Image.fromarray(pixels, mode).save(data, "JPEG", **{"quality": 88, **options})
    return data.getvalue()


def with_sampling(data, factors):
    """The same data under another sampling of the luminance: valid if the blocks come out in the same number."""
    frame = data.index(b"\xff\xc0")
    assert data[frame + 10] == 1, "the first component is the luminance"
    return data[: frame + 11] + bytes([factors]) + data[frame + 12 :]


def jpegs():
    colour = picture(37, 29, seed=11)
    inks = picture(31, 23, channels=4, seed=12)
    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        yield name, jpeg(colour, subsampling=subsampling)
        yield f"{name}-progressive", jpeg(colour, subsampling=subsampling, progressive=True)
    yield "grey", jpeg(colour[..., 0], "L")
    yield "grey-progressive", jpeg(colour[..., 0], "L", progressive=True)
    yield "rgb", jpeg(colour, keep_rgb=True, subsampling=0)
    yield "restart", jpeg(colour, restart_marker_blocks=2)
    yield "pixel", jpeg(colour[:1, :1])
    yield "worst", jpeg(colour, quality=3)
    # Samplings that Pillow does not write, the last two without a name in TurboJPEG.
    yield "440", with_sampling(jpeg(picture(32, 32, seed=13), subsampling=1), 0x12)
    yield "411", with_sampling(jpeg(picture(32, 32, seed=14), subsampling=2), 0x41)
    yield "441", with_sampling(jpeg(picture(32, 32, seed=15), subsampling=2), 0x14)

    cmyk = jpeg(inks, "CMYK")
    adobe = cmyk.index(b"Adobe") + 11
    assert cmyk[adobe] == 0
    yield "cmyk", cmyk
    yield "cmyk-progressive", jpeg(inks, "CMYK", progressive=True)
    yield "ycck", cmyk[:adobe] + b"\2" + cmyk[adobe + 1 :]
    for orientation in range(1, 9):
        yield f"orientation{orientation}", jpeg(colour, exif=b"Exif\0\0" + exif(orientation, "<>"[orientation % 2]))
    yield "orientation0", jpeg(colour, exif=b"Exif\0\0" + exif(0, "<"))
    # Stray bytes between the segments, as some cameras leave them.
    plain = jpeg(colour)
    yield "stray", plain[:-2] + b"\0\0\0" + plain[-2:] + b"more"


def imaging():
    folder = fresh_folder("ImagingTests")
    cases = []
    for extension, images in [("jpg", jpegs()), ("png", pngs())]:
        for name, data in images:
            image = Image.open(io.BytesIO(data))
            image.load()
            upright = ImageOps.exif_transpose(image)
            if image.mode.startswith("I;16"):
                # 16-bit grey is clipped by Pillow's conversion; the upper bytes are what makes sense.
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            pixels = np.asarray(upright.convert("RGB"))
            (folder / f"{name}.{extension}").write_bytes(data)
            (folder / f"{name}.{extension}.raw").write_bytes(pixels.tobytes())
            cases.append({"file": f"{name}.{extension}", "width": pixels.shape[1], "height": pixels.shape[0]})
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    preprocessing()
    imaging()
    print(f"written with Pillow {PIL.__version__} and NumPy {np.__version__}")
