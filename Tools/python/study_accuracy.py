#!/usr/bin/env python3
"""The paper's study of the convolutional embedding in accuracy, at the scale that two cores can train: small CETNets on
Fashion-MNIST, with embeddings of 1, 3, 5 and 7 layers and of MBConv, dense, ghost and ResNet units, several seeds each.

All have about the same number of parameters: the width of the last stage, where most of them are, is chosen for it. Each run is a row of the output, written when it is done; a run that was broken off continues after its last
epoch, and rows that are there are not computed again."""

import argparse
import csv
import math
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from cetnet import fashion
from cetnet.commands import CommandError, run
from cetnet.configuration import ModelConfiguration
from cetnet.costs import multiply_adds
from cetnet.initialization import initialize_for_training
from cetnet.model import CETNet
from cetnet.training import TrainingSettings, computes_bfloat16, logits_of, train

BASE = replace(fashion.CONFIGURATION, image_size=32, labels=None)
# Name: layers of the embedding, its unit.
MODELS = {"layers-1": (1, "mbconv"), "layers-3": (3, "mbconv"), "layers-5": (5, "mbconv"), "layers-7": (7, "mbconv"),
          "dense": (5, "dense"), "ghost": (5, "ghost"), "resnet": (5, "resnet")}
REFERENCE = "layers-5"
COLUMNS = ("model", "seed", "parameters", "multiply_adds", "images", "epochs", "top1", "seconds")


@dataclass(frozen=True)
class Data:
    """`images` (count, 32, 32) uint8, the originals with a black border; `labels` (count)."""

    images: Tensor
    labels: Tensor


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="models:\n  " + "\n  ".join(MODELS) + "\n\nNeeds Debian's package dataset-fashion-mnist.")
    parser.add_argument("--output", type=Path, required=True, metavar="CSV", help="the table of runs")
    parser.add_argument("--data", type=Path, default=fashion.FOLDER, metavar="DIR",
                        help=f"folder of the IDX files; default: {fashion.FOLDER}")
    parser.add_argument("--only", nargs="+", choices=MODELS, default=list(MODELS), metavar="MODEL")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, metavar="N", help="train on the first N images only")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    train_set, test_set = (Data(bordered(part), torch.from_numpy(part.labels)) for part in fashion.load(arguments.data))
    if arguments.images is not None:
        train_set = Data(train_set.images[:arguments.images], train_set.labels[:arguments.images])
    rows = read(arguments.output)
    done = {(row["model"], row["seed"], row["images"], row["epochs"]) for row in rows}
    # Seed by seed, so that what a study that is broken off has is of all models.
    for seed in range(arguments.seeds):
        for name in arguments.only:
            if (name, str(seed), str(len(train_set.labels)), str(arguments.epochs)) not in done:
                append(arguments.output, result(name, seed, train_set, test_set, arguments))
    print(table([row for row in read(arguments.output) if row["model"] in arguments.only]))
    return 0


def configuration(name: str) -> ModelConfiguration:
    """The model whose last stage brings its parameters nearest to the reference's."""
    layers, unit = MODELS[name]
    wanted = parameters(BASE)

    def of_width(width: int) -> ModelConfiguration:
        return replace(BASE, dims=(*BASE.dims[:-1], width), ce_layers=layers, ce_unit=unit)

    # Dense units need multiples of 8.
    return min(map(of_width, range(64, 201, 8)), key=lambda model: abs(parameters(model) - wanted))


def parameters(model: ModelConfiguration) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in CETNet(model).parameters())


def result(name: str, seed: int, train_set: Data, test_set: Data, arguments: argparse.Namespace) -> dict[str, object]:
    """Trains a model and measures it on the test images, which choose nothing."""
    model = CETNet(configuration(name))
    initialize_for_training(model, seed)
    settings = TrainingSettings(arguments.epochs, arguments.learning_rate, warmup_epochs=1,
                                mixed_precision=computes_bfloat16())
    checkpoint = arguments.output.with_name(
        f"{arguments.output.stem}-{name}-{seed}-{len(train_set.labels)}-{arguments.epochs}.pth")

    def batches(epoch: int):
        generator = torch.Generator().manual_seed(1000 * seed + epoch)
        for chosen in torch.randperm(len(train_set.labels), generator=generator).split(arguments.batch_size):
            yield augmented(normalized(train_set.images[chosen]), generator), train_set.labels[chosen]

    def accuracy(model: CETNet) -> float:
        predicted = torch.cat([logits_of(model, normalized(part)).argmax(1) for part in test_set.images.split(1000)])
        return (predicted == test_set.labels).float().mean().item()

    print(f"{name}, seed {seed}", flush=True)
    start = time.monotonic()
    train(model, batches, -(-len(train_set.labels) // arguments.batch_size), accuracy, settings, checkpoint=checkpoint,
          resume=checkpoint if checkpoint.exists() else None)
    row = dict(model=name, seed=seed, parameters=parameters(model.configuration),
               multiply_adds=multiply_adds(model.configuration, 32, 32), images=len(train_set.labels),
               epochs=arguments.epochs, top1=f"{accuracy(model):.4f}", seconds=round(time.monotonic() - start))
    checkpoint.unlink(missing_ok=True)
    return row


def bordered(data: fashion.Fashion) -> Tensor:
    return F.pad(torch.from_numpy(data.pixels), [2] * 4)


def normalized(pixels: Tensor) -> Tensor:
    """(count, 32, 32) uint8 → the network's input (count, 3, 32, 32)."""
    settings = BASE.preprocess
    return ((pixels.float() / 255 - settings.mean[0]) / settings.std[0])[:, None].expand(-1, 3, -1, -1)


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrors half of the images."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if any(set(row) != set(COLUMNS) or None in row.values() for row in rows):
        raise CommandError(f"{path}: expected the columns {', '.join(COLUMNS)}")
    return rows


def append(path: Path, row: dict[str, object]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def table(rows: list[dict[str, str]]) -> str:
    """Mean and deviation of each model, and whether its difference from the reference is more than chance: twice the
    standard error of the difference."""
    def top1(name: str) -> list[float]:
        return [100 * float(row["top1"]) for row in rows if row["model"] == name]

    def error(values: list[float]) -> float:
        return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan

    lines = [f"{'model':<10} {'parameters':>10} {'multiply-adds':>13} {'runs':>4} {'top-1':>7} {'deviation':>9}"
             f"  against {REFERENCE}"]
    reference = top1(REFERENCE)
    for name in dict.fromkeys(row["model"] for row in rows):
        values, row = top1(name), next(row for row in rows if row["model"] == name)
        verdict = ""
        if reference and name != REFERENCE:
            difference = statistics.mean(values) - statistics.mean(reference)
            noise = 2 * math.hypot(error(values), error(reference))
            verdict = f"{difference:+.2f} ± {noise:.2f}" + ("" if abs(difference) > noise else ", not told apart")
        deviation = statistics.stdev(values) if len(values) > 1 else math.nan
        lines.append(f"{name:<10} {int(row['parameters']):>10,} {int(row['multiply_adds']):>13,} {len(values):>4} "
                     f"{statistics.mean(values):>7.2f} {deviation:>9.2f}  {verdict}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
