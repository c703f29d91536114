#!/usr/bin/env python3
"""Compares the Swift engine with public packages: logits of full-size models with random weights, as the packages save
them, and the input that it makes of photographs."""

import argparse
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from cetnet.commands import CommandError, run
from cetnet.comparison import LEAST_SHARE, PixelDifference, compare, compare_labels, compare_pixels, environment
from cetnet.engine import DEFAULT_EXECUTABLE, Engine, EngineError
from cetnet.initialization import random_images
from cetnet.photographs import bundled, variations
from cetnet.preprocessing import decode
from cetnet.public_models import MODELS, PublicModel, logits, package
from cetnet.public_processors import PROCESSORS, TimmProcessor, TransformersProcessor
from cetnet.segmentation import resize


def main() -> int:
    names = [*MODELS, *(f"images/{name}" for name in PROCESSORS)]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="names:\n  " + "\n  ".join(names) + "\n\n"
               "Logits may differ by 1e-4 · max(1, largest magnitude). Of an image, 99.9 % of the 8-bit values must\n"
               "be the processor's and none more than 1 apart. Where torchvision resizes, not Pillow, shares are only\n"
               "reported; none may be more than 1 apart if bilinear, and the mean not more than 0.25. Exits with\n"
               "status 1 if that does not hold or parameters are counted otherwise, with 2 if nothing could be\n"
               "compared.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the names below; may hold * and ?")
    parser.add_argument("--cetnet", type=Path, default=DEFAULT_EXECUTABLE, metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE",
                        help="for the executable, for instance to force a kernel tier; may be repeated")
    parser.add_argument("--verbose", action="store_true", help="a line for every image, not only for all of them")
    arguments = parser.parse_args()
    engine = Engine(arguments.cetnet, environment(arguments.environment))
    chosen = choice(names, arguments.only)

    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cetnet-verify-") as temporary:
        folder = Path(temporary)
        problems += check_models(engine, [name for name in chosen if name in MODELS], folder)
        processors = [name for name in chosen if name not in MODELS]
        if processors:
            problems += check_processors(engine, processors, folder, arguments.verbose)
    if problems:
        print(f"\n{len(problems)} FAILED:\n  " + "\n  ".join(problems))
        return 1
    print("\nall equal within tolerance")
    return 0


def choice(names: list[str], patterns: list[str] | None) -> list[str]:
    for pattern in patterns or []:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise CommandError(f"--only {pattern}: no such name; --help lists them")
    return [name for name in names if patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)]


def check_models(engine: Engine, names: list[str], folder: Path) -> list[str]:
    """A table of all models; problems, each as a line."""
    problems = []
    if names:
        print(f"{'model':<40} {'size':>9} {'parameters':>12} {'difference':>10} / tolerance")
    for name in names:
        path = folder / "model"
        try:
            problems += [f"{name}: {problem}" for problem in check_model(engine, name, MODELS[name], path, folder)]
        except EngineError as error:
            print(f"{name:<40} {error}")
            problems.append(f"{name}: {error}")
        for file in path.iterdir():  # hundreds of MB for the larger ones
            file.unlink()
    return problems


def check_model(engine: Engine, name: str, model: PublicModel, path: Path, folder: Path) -> list[str]:
    problems = []
    module = model.save(path)
    # The engine has no need of a head that helps training, nor of a norm that no map passes.
    parameters = sum(value.numel() for name, value in module.named_parameters()
                     if not name.startswith(("auxiliary_head.", "backbone.swin.layernorm.")))
    counted = engine.inspect(path).get("parameters")
    if counted != parameters:
        problems.append(f"{counted} parameters, the package has {parameters}")
    for size in model.sizes:
        images = random_images(1, *size, seed=2)
        case = f"{size[0]}x{size[1]}"
        found, expected = engine.run(path, images, folder)[0], logits(module, images)
        if model.segments:
            # Transformers' logits have the images' size, the engine's and the definition's a quarter of it.
            found, expected = (value if value.shape[2:] == size else resize(value, size) for value in (found, expected))
        difference, tolerance = compare(found, expected, case)
        bad = not difference <= tolerance
        if bad:
            problems.append(f"{case}: logits differ by {difference:.3g}, tolerance {tolerance:.3g}")
        print(f"{name:<40} {case:>9} {parameters:>12,} {difference:>10.2e} / {tolerance:.2e}{'!' if bad else ''}",
              flush=True)
    if model.segments and name.startswith("transformers/"):
        problems += check_labels(engine, name, module, path, folder)
    return problems


def check_labels(engine: Engine, name: str, module: nn.Module, path: Path, folder: Path) -> list[str]:
    """Labels of photographs: the package's processor in Pillow's form, model and post-processing against `segment`."""
    problems = []
    processor = package("transformers").SegformerImageProcessorPil.from_pretrained(path)
    china = Image.open(next(file for file in bundled() if file.name == "china.jpg")).convert("RGB")
    for height, width in ((427, 640), (1000, 333)):
        file, case = folder / f"{width}x{height}.png", f"{height}x{width}"
        china.resize((width, height), Image.Resampling.LANCZOS).save(file)
        with torch.inference_mode():
            output = module.double()(processor(decode(file), return_tensors="pt")["pixel_values"].double())
        expected = processor.post_process_semantic_segmentation(output, target_sizes=[(height, width)])[0]
        # What decides, to see how near a miss is.
        decisive = resize(output.logits, (height, width))
        if not torch.equal(decisive.argmax(dim=1)[0], expected):
            problems.append(f"{case}: post_process_semantic_segmentation does something else than resizing")
        # An 8-bit value in a thousand may be one level off in the input; logits then differ by more than rounding.
        line, problem = compare_labels(engine.segment(path, file, folder)[None], decisive, LEAST_SHARE, near=0.05)
        print(f"{name:<40} {case:>9} {line}", flush=True)
        problems += [f"{case}: {problem}"] if problem else []
    return problems


def check_processors(engine: Engine, names: list[str], folder: Path, verbose: bool) -> list[str]:
    (folder / "images").mkdir()
    paths = bundled() + list(variations(folder / "images"))
    images = [(path, decode(path)) for path in paths]  # once, and for both sides the same
    problems = []
    print(f"\n{len(images)} images: 8-bit values that are the same, on average and at least; differences at most")
    print(f"{'processor':<32} {'as':<12} {'same':>10} {'least':>10} {'largest':>7} {'mean':>8}")
    for name in names:
        processor = PROCESSORS[name.removeprefix("images/")]
        path = folder / name
        processor.save(path)
        problems += [f"{name}: {problem}"
                     for problem in check_processor(engine, name, processor, path, images, folder, verbose)]
    return problems


def check_processor(engine: Engine, name: str, processor: TransformersProcessor | TimmProcessor, path: Path,
                    images: list[tuple[Path, Image.Image]], folder: Path, verbose: bool) -> list[str]:
    problems, references, levels = [], processor.references(path), processor.levels(path)
    results: dict[str, list[PixelDifference]] = {reference.name: [] for reference in references}
    for file, image in images:
        try:
            found = engine.preprocess(path, file, folder)
            pixels = {reference.name: compare_pixels(found, reference.compute(image)[None], levels)
                      for reference in references}
        except EngineError as error:
            problems.append(f"{file.name}: {error}")
            break  # more than the image is wrong
        for reference in references:
            row = pixels[reference.name]
            results[reference.name].append(row)
            line = f"{file.name}: {100 * row.share:.3f} % as {reference.name}, largest difference {row.largest:.2f}"
            if verbose:
                print(f"  {line}")
            if not reference.accepts(row):
                problems.append(f"{line}, mean {row.mean:.2f}")
    for reference in references:
        rows = results[reference.name]
        if rows:
            # NaN if one is.
            largest, mean = torch.tensor([[row.largest, row.mean] for row in rows]).amax(dim=0).tolist()
            print(f"{name:<32} {reference.name:<12} {100 * sum(row.share for row in rows) / len(rows):9.4f}% "
                  f"{100 * min(row.share for row in rows):9.4f}% {largest:>7.2f} {mean:>8.3f}", flush=True)
    return problems


if __name__ == "__main__":
    run(main)
