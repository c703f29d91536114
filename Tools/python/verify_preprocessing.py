#!/usr/bin/env python3
"""Compares `cetnet preprocess` with Pillow over photographs of many sizes and file formats."""

import argparse
import tempfile
from pathlib import Path

import torch

from cetnet.checkpoint import load_model, save_model
from cetnet.commands import ImageError, run
from cetnet.comparison import LEAST_SHARE, compare_pixels
from cetnet.configuration import ModelConfiguration, PreprocessConfiguration
from cetnet.engine import DEFAULT_EXECUTABLE, Engine, EngineError
from cetnet.initialization import randomize
from cetnet.model import CETNet
from cetnet.photographs import SUFFIXES, bundled, variations
from cetnet.preprocessing import decode, preprocess

# Preprocessings that differ in size, crop and filter; the network behind them does not matter.
SETTINGS = {
    "224, crop 0.9, bicubic": (224, PreprocessConfiguration()),
    "384, crop 1, bicubic": (384, PreprocessConfiguration(crop_pct=1.0)),
    "225, crop 0.875, bilinear": (225, PreprocessConfiguration("bilinear", 0.875)),
    "32, crop 1, bicubic, own mean": (32, PreprocessConfiguration(
        crop_pct=1.0, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.3))),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="For each image and setting at least 99.9 %% of the 8-bit values must be Pillow's and none more than 1 "
               "apart; else the status is 1.")
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE",
                        help="files, or folders of JPEG and PNG files; default: the photographs that scikit-learn and "
                             "scikit-image bundle, and variations of them")
    parser.add_argument("--cetnet", type=Path, default=DEFAULT_EXECUTABLE, metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    parser.add_argument("--model", type=Path, metavar="MODEL",
                        help="use this model's preprocessing instead of several settings")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the variations in this folder")
    parser.add_argument("--verbose", action="store_true", help="a line for every image, not only for the worst")
    arguments = parser.parse_args()
    engine = Engine(arguments.cetnet)

    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cetnet-verify-") as temporary:
        folder = Path(temporary)
        if arguments.images:
            images = [image for path in arguments.images for image in expand(path)]
        else:
            target = arguments.keep or folder / "images"
            target.mkdir(parents=True, exist_ok=True)
            images = bundled() + list(variations(target))
        for name, configuration, model in models(arguments.model, folder):
            problems += check(engine, name, configuration, model, images, folder, arguments.verbose)
    if problems:
        print(f"\n{len(problems)} FAILED:\n  " + "\n  ".join(problems))
        return 1
    print("\nall within the target")
    return 0


def expand(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not path.exists():
        raise ImageError(f"{path}: no such file")
    return [path]


def models(given: Path | None, folder: Path) -> list[tuple[str, ModelConfiguration, Path]]:
    if given is not None:
        return [(str(given), load_model(given).configuration, given)]
    made = []
    for index, (name, (size, settings)) in enumerate(SETTINGS.items()):
        configuration = ModelConfiguration(
            dims=(32,) * 4, depths=(1,) * 4, num_heads=(1,) * 4, stem_channels=(8, 8), num_labels=2, image_size=size,
            preprocess=settings)
        path = folder / f"model{index}"
        save_model(randomize(CETNet(configuration), seed=0), path)
        made.append((name, configuration, path))
    return made


def check(engine: Engine, name: str, configuration: ModelConfiguration, model: Path, images: list[Path], folder: Path,
          verbose: bool) -> list[str]:
    """Prints a summary and returns what misses the target."""
    problems, identical, values, worst = [], 0, 0, (1.0, "")
    levels = 255 * torch.tensor(configuration.preprocess.std)
    for image in images:
        try:
            found = engine.preprocess(model, image, folder)
            expected = preprocess(decode(image), configuration)[None]
            pixels = compare_pixels(found, expected, levels)
        except EngineError as error:
            problems.append(f"{name}: {image.name}: {error}")
            continue
        share, largest = pixels.share, pixels.largest
        identical, values, worst = identical + pixels.same, values + pixels.count, min(worst, (share, image.name))
        if verbose:
            print(f"  {image.name:<36} {100 * share:8.4f} % identical, largest difference {largest:.3f}")
        if not (share >= LEAST_SHARE and largest <= 1.01):
            problems.append(f"{name}: {image.name}: {100 * share:.3f} % identical, largest difference {largest:.2f}")
    exception = f", least in {worst[1]}: {100 * worst[0]:.4f} %" if worst[1] else ""
    print(f"{name}: {len(images)} images, {100 * identical / max(1, values):.4f} % of values identical{exception}",
          flush=True)
    return problems


if __name__ == "__main__":
    run(main)
