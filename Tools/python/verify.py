#!/usr/bin/env python3
"""Compares the Swift engine with PyTorch: counts, logits, feature maps and label maps of full-size models with random
weights."""

import argparse
import tempfile
from pathlib import Path

import torch

from cetnet.checkpoint import save_model
from cetnet.commands import image_size, run
from cetnet.comparison import compare, compare_labels, environment
from cetnet.configuration import ModelConfiguration
from cetnet.costs import multiply_adds, parameter_count
from cetnet.engine import DEFAULT_EXECUTABLE, Engine, EngineError, read_labels
from cetnet.initialization import random_images, randomize
from cetnet.loading import load_any
from cetnet.model import CETNet
from cetnet.segmentation import SegmentationModel, build, resize
from cetnet.variants import VARIANTS, variant

LEAST_LABELS = 0.9999  # of pixels that must have PyTorch's label
BIT_IDENTITY_BATCHES = (1, 3, 8)
BIT_IDENTITY_THREADS = (1, 2, 3, 4)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Exits with status 1 if a count differs, a difference exceeds its tolerance or logits depend on batch "
               "or threads; with 2 if nothing could be compared.")
    parser.add_argument("variants", nargs="*", metavar="VARIANT",
                        help=f"{', '.join(VARIANTS)}; default: cetnet-t cetnet-s cetnet-b")
    parser.add_argument("--model", type=Path, action="append", default=[], metavar="MODEL",
                        help="compare this model instead of random ones; may be repeated")
    parser.add_argument("--cetnet", type=Path, default=DEFAULT_EXECUTABLE, metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    parser.add_argument("--sizes", type=image_size, nargs="+", metavar="HxW",
                        help="image sizes, height × width; default: 224x224 384x384 256x320 200x168, of segmentation "
                             "models 32x32 97x250 224x224 512x512")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 3], metavar="N", help="default: 1 3")
    parser.add_argument("--threads", type=int, nargs="+", metavar="N", help="default: the executable's own choice")
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE",
                        help="for the executable, for instance to force a kernel tier; may be repeated")
    parser.add_argument("--precision", choices=["float32", "float64"], default="float32",
                        help="PyTorch's arithmetic; default: float32")
    parser.add_argument("--bit-identity", action="store_true",
                        help=f"also check that logits are equal bit for bit for batches {BIT_IDENTITY_BATCHES} and "
                             f"threads {BIT_IDENTITY_THREADS}")
    parser.add_argument("--only-bit-identity", action="store_true", help="check nothing else")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--torch-threads", type=int, metavar="N", help="threads of PyTorch; default: its own choice")
    arguments = parser.parse_args()
    if arguments.torch_threads is not None:
        torch.set_num_threads(arguments.torch_threads)
    engine = Engine(arguments.cetnet, environment(arguments.environment))
    names = arguments.variants or ([] if arguments.model else ["cetnet-t", "cetnet-s", "cetnet-b"])
    for name in names:
        variant(name)  # unknown names before any work

    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cetnet-verify-") as temporary:
        folder = Path(temporary)
        for name in names:
            model = randomize(build(ModelConfiguration.for_variant(name)), arguments.seed)
            save_model(model, folder / name)
            problems += check(engine, name, model, folder / name, folder, arguments)
            for file in (folder / name).iterdir():  # hundreds of MB for the larger variants
                file.unlink()
        for path in arguments.model:
            problems += check(engine, str(path), load_any(path), path, folder, arguments)
    if problems:
        print(f"\n{len(problems)} FAILED:\n  " + "\n  ".join(problems))
        return 1
    print("\nall equal within tolerance")
    return 0


def check(engine: Engine, name: str, model: CETNet, path: Path, folder: Path,
          arguments: argparse.Namespace) -> list[str]:
    """Problems of one model, each as a line."""
    print(f"\n{name}")
    try:
        problems = []
        if not arguments.only_bit_identity:
            problems += check_counts(engine, model.configuration, path, sizes_of(model.configuration, arguments))
            problems += check_outputs(engine, model, path, folder, arguments)
        if arguments.bit_identity or arguments.only_bit_identity:
            size = sizes_of(model.configuration, arguments)[0]
            problems += check_bit_identity(engine, path, folder, size, arguments.seed)
        return [f"{name}: {problem}" for problem in problems]
    except EngineError as error:
        print(f"  {error}")
        return [f"{name}: {error}"]


def check_counts(engine: Engine, configuration: ModelConfiguration, path: Path,
                 sizes: list[tuple[int, int]]) -> list[str]:
    """`cetnet inspect` of the model, and of the variant's name, against PyTorch."""
    problems = []
    side = configuration.image_size
    subjects: list[tuple[str | Path, tuple[int, int] | None]] = [(path, None)] + [(path, size) for size in sizes]
    row = VARIANTS.get(configuration.variant or "")
    if row is not None and row.configuration == configuration:  # the variant itself, nothing changed
        subjects.insert(0, (row.name, None))
        found = engine.inspect(row.name, row.size)
        printed = (f"{found.get('parameters', 0) / 1e6:.3f}", f"{found.get('multiply_adds', 0) / 1e9:.3f}")
        if printed != (row.parameters, row.multiply_adds):
            problems.append(f"inspect {row.name}: {printed[0]} M, {printed[1]} G; the table has {row.parameters} M, "
                            f"{row.multiply_adds} G")
    for subject, size in subjects:
        found = engine.inspect(subject, size)
        layers = found.get("layers") or [{}]
        expected = {"parameters": parameter_count(configuration),
                    "multiply_adds": multiply_adds(configuration, *(size or (side, side)))}
        for key, value in expected.items():
            total = sum(layer.get(key, 0) for layer in layers)
            label = f"inspect {Path(subject).name}{f' {size[0]}x{size[1]}' if size else ''}: {key}"
            if found.get(key) != value:
                problems.append(f"{label} {found.get(key)}, PyTorch {value}")
            if total != value:
                problems.append(f"{label} of the layers add up to {total}, PyTorch {value}")
    if not problems:
        print(f"  {parameter_count(configuration):,} parameters, {multiply_adds(configuration, side, side):,} "
              f"multiply-adds at {side}×{side}: equal, here and at {len(sizes)} sizes")
    return problems


def check_outputs(engine: Engine, model: CETNet, path: Path, folder: Path,
                  arguments: argparse.Namespace) -> list[str]:
    """Logits and every stage's features, for all sizes, batches and numbers of threads."""
    stages = model.configuration.stages
    dense = isinstance(model, SegmentationModel)
    labels = folder / "labels.npy" if dense else None
    columns = ["logits"] + [f"stage {stage + 1}" for stage in range(stages)] + (["full logits"] if dense else [])
    print("  largest difference / tolerance (1e-4 · max(1, largest magnitude))")
    print(f"  {'size':>9} {'batch':>5} {'threads':>7} " + " ".join(f"{column:>19}" for column in columns))
    model.to(getattr(torch, arguments.precision))
    problems = []
    for size in sizes_of(model.configuration, arguments):
        for batch in arguments.batches:
            images = random_images(batch, *size, seed=arguments.seed + 1)
            with torch.inference_mode():
                logits, features = model.forward_with_features(images.to(getattr(torch, arguments.precision)))
            for threads in arguments.threads or [None]:
                case = f"{size[0]}x{size[1]} batch {batch}" + (f" threads {threads}" if threads else "")
                found_logits, maps = engine.run(path, images, folder, threads, stages, labels=labels)
                cells = []
                pairs = list(zip([found_logits] + maps, [logits] + features))
                if dense:
                    pairs.append((resize(found_logits, size), resize(logits, size)))
                for column, (found, reference) in zip(columns, pairs):
                    difference, tolerance = compare(found, reference, f"{case}: {column}")
                    bad = not difference <= tolerance
                    cells.append(f"{difference:.2e} / {tolerance:.2e}{'!' if bad else ' '}")
                    if bad:
                        problems.append(f"{case}: {column} differ by {difference:.3g}, tolerance {tolerance:.3g}")
                print(f"  {size[0]:>4}x{size[1]:<4} {batch:>5} {threads or 'own':>7} " + " ".join(cells), flush=True)
                if labels is not None:
                    line, problem = compare_labels(read_labels(labels), resize(logits, size), LEAST_LABELS)
                    print(f"  {'':>23} {line}", flush=True)
                    problems += [f"{case}: {problem}"] if problem else []
    return problems


def sizes_of(configuration: ModelConfiguration, arguments: argparse.Namespace) -> list[tuple[int, int]]:
    """Those asked for; else squares and others that are usual, of segmentation models odd ones too."""
    usual = [(32, 32), (97, 250), (224, 224), (512, 512)] if configuration.is_dense else \
        [(224, 224), (384, 384), (256, 320), (200, 168)]
    return arguments.sizes or usual


def check_bit_identity(engine: Engine, path: Path, folder: Path, size: tuple[int, int], seed: int) -> list[str]:
    """The logits of an image may depend on nothing but the image: not on its neighbours, place, batch or threads."""
    images = random_images(max(BIT_IDENTITY_BATCHES), *size, seed=seed + 2)
    reference, _ = engine.run(path, images, folder, threads=1)
    problems = []
    for batch in BIT_IDENTITY_BATCHES:
        for threads in BIT_IDENTITY_THREADS:
            first = len(images) - batch  # the last images, so that places change with the batch
            found, _ = engine.run(path, images[first:], folder, threads)
            bits, expected = found.view(torch.int32), reference[first:].view(torch.int32)
            if bits.shape != expected.shape:
                problems.append(f"batch {batch} threads {threads}: logits of shape {tuple(found.shape)}")
            elif not torch.equal(bits, expected):
                problems.append(f"batch {batch} threads {threads}: {int((bits != expected).sum())} of {bits.numel()} "
                                f"logits are not those of batch {len(images)} threads 1")
    if not problems:
        print(f"  logits bit-identical for batches {BIT_IDENTITY_BATCHES} and threads {BIT_IDENTITY_THREADS} "
              f"at {size[0]}×{size[1]}")
    return problems


if __name__ == "__main__":
    run(main)
