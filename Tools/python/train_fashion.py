#!/usr/bin/env python3
"""Trains the Fashion-MNIST model that the package ships, and writes its directory."""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cetnet import fashion
from cetnet.checkpoint import save_model
from cetnet.commands import REPOSITORY, run
from cetnet.initialization import initialize_for_training
from cetnet.model import CETNet
from cetnet.preprocessing import preprocess
from cetnet.training import TrainingSettings, computes_bfloat16, logits_of, train

LARGEST_SHIFT = 4  # of 56 pixels
ERASED_SHARE = 0.25  # of the images lose a rectangle


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The test images choose nothing: the weights are those of the last epoch. Exits with status 1 if fewer "
               "than 93 %% of them are recognised. Needs Debian's package dataset-fashion-mnist.")
    parser.add_argument("--data", type=Path, default=fashion.FOLDER, metavar="DIR",
                        help=f"folder of the IDX files; default: {fashion.FOLDER}")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "models" / "fashion", metavar="DIR",
                        help="default: models/fashion")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE",
                        help="rewritten after each epoch; where it exists, the training continues from it")
    parser.add_argument("--images", type=Path, metavar="DIR",
                        help="only write the 10,000 test images as PNG, with labels.csv for `cetnet evaluate`")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    train_set, test_set = fashion.load(arguments.data)
    if arguments.images is not None:
        fashion.write_images(test_set, arguments.images)
        return 0
    train_images, test_images = resized(train_set), resized(test_set)
    train_labels, test_labels = (torch.from_numpy(part.labels) for part in (train_set, test_set))
    settings = TrainingSettings(arguments.epochs, arguments.learning_rate, arguments.weight_decay, warmup_epochs=2,
                                mixed_precision=computes_bfloat16())
    model = CETNet(fashion.CONFIGURATION)
    initialize_for_training(model, arguments.seed)

    def batches(epoch: int):
        generator = torch.Generator().manual_seed(1000 * arguments.seed + epoch)
        for chosen in torch.randperm(len(train_labels), generator=generator).split(arguments.batch_size):
            yield augment(normalized(train_images[chosen]), generator), train_labels[chosen]

    def accuracy(model: CETNet) -> float:
        predicted = torch.cat([logits_of(model, normalized(part)).argmax(1) for part in test_images.split(1000)])
        return (predicted == test_labels).float().mean().item()

    resume = arguments.checkpoint if arguments.checkpoint is not None and arguments.checkpoint.exists() else None
    steps = -(-len(train_labels) // arguments.batch_size)
    train(model, batches, steps, accuracy, settings, checkpoint=arguments.checkpoint, resume=resume)

    save_model(model, arguments.output)
    write_examples(test_set, arguments.output / "images")
    right = accuracy(model)
    print(f"test images: {100 * right:.2f} % right")
    return 0 if right >= 0.93 else 1


def resized(data: fashion.Fashion) -> Tensor:
    """(count, 56, 56) uint8, as preprocessing enlarges the images before it normalises them."""
    plain = dataclasses.replace(fashion.CONFIGURATION.preprocess, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    configuration = dataclasses.replace(fashion.CONFIGURATION, preprocess=plain)
    side = configuration.image_size
    enlarged = np.empty((len(data.labels), side, side), np.uint8)
    for index in range(len(enlarged)):
        grey = preprocess(data.image(index).convert("RGB"), configuration)[0]
        enlarged[index] = (grey * 255).round().to(torch.uint8).numpy()
    print(f"{len(enlarged)} images enlarged", file=sys.stderr)
    return torch.from_numpy(enlarged)


def normalized(pixels: Tensor) -> Tensor:
    """(count, 56, 56) uint8 → the network's input (count, 3, 56, 56)."""
    settings = fashion.CONFIGURATION.preprocess
    return ((pixels.float() / 255 - settings.mean[0]) / settings.std[0])[:, None].expand(-1, 3, -1, -1)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrors half of the images, shifts all of them by a few pixels, and erases a rectangle of some."""
    count, _, side, _ = images.shape
    mirrored = torch.rand(count, generator=generator) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    padded = F.pad(images, [LARGEST_SHIFT] * 4, value=float(images.min()))
    top, left = torch.randint(2 * LARGEST_SHIFT + 1, (2, count, 1), generator=generator)
    span = torch.arange(side)
    index = torch.arange(count)[:, None, None, None]
    channel = torch.arange(3)[None, :, None, None]
    images = padded[index, channel, (top + span)[:, None, :, None], (left + span)[:, None, None, :]]
    for chosen in (torch.rand(count, generator=generator) < ERASED_SHARE).nonzero().flatten().tolist():
        height, width = torch.randint(side // 8, side // 3, (2,), generator=generator).tolist()
        y, x = (int(torch.randint(side - extent, (1,), generator=generator)) for extent in (height, width))
        images[chosen, :, y:y + height, x:x + width] = torch.randn(height, width, generator=generator) * 0.5
    return images


def write_examples(test_set: fashion.Fashion, folder: Path) -> None:
    """The first test image of each label, as `LABEL-test-INDEX.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, name in enumerate(fashion.LABELS):
        index = int((test_set.labels == label).argmax())
        spoken = name.lower().replace("/", "-").replace(" ", "-")
        test_set.image(index).save(folder / f"{spoken}-test-{index:05d}.png", optimize=True)


if __name__ == "__main__":
    run(main)
