#!/usr/bin/env python3
"""Trains a CETNet on folders of images (DATA/train/LABEL/*.jpg, DATA/val/LABEL/*.jpg) and exports the best epoch."""

import argparse
import dataclasses
import random
import shlex
import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from cetnet.checkpoint import load_weights, read_tensors, read_training_state, save_model, state_dict_of
from cetnet.commands import CommandError, add_configuration_arguments, chosen_configuration, run
from cetnet.folders import ImageFolder, seed_worker
from cetnet.initialization import initialize_for_training
from cetnet.model import CETNet
from cetnet.training import TrainingSettings, accuracies_of, computes_bfloat16, train


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Labels are the names of the folders. --output becomes a model directory (config.json, "
               "model.safetensors) with last.pth, from which --resume continues, beside it.")
    parser.add_argument("--data", type=Path, required=True, metavar="DATA", help="folder with train/ and val/")
    add_configuration_arguments(parser, required=True)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--image-size", type=int, metavar="N", help="default: the configuration's")
    parser.add_argument("--init", type=Path, metavar="FILE",
                        help="start from the tensors of this .pth or .safetensors; a head of another size is dropped")
    parser.add_argument("--resume", type=Path, metavar="last.pth", help="continue an interrupted training")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--warmup-epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--mixup", type=float, default=0.0, metavar="ALPHA",
                        help="blend pairs of images with shares from Beta(ALPHA, ALPHA); usual: 0.8; default: 0, not")
    parser.add_argument("--rand-augment", type=int, default=0, metavar="M",
                        help="two random changes to each image, of strength 1 to 10; usual: 9; default: 0, none")
    parser.add_argument("--mixed-precision", action="store_true",
                        help="products in bfloat16, where the processor or GPU multiplies it itself")
    parser.add_argument("--smallest-crop", type=float, default=0.08, metavar="SHARE",
                        help="smallest part of an image's area that a random crop shows; default: 0.08")
    parser.add_argument("--no-mirror", action="store_true", help="never mirror images, for instance of writing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads; default: PyTorch's choice")
    parser.add_argument("--workers", type=int, default=2, help="processes that load images; default: 2")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    random.seed(arguments.seed)

    if arguments.mixup < 0 or not 0 <= arguments.rand_augment <= 10:
        raise CommandError("--mixup is at least 0 and --rand-augment from 0 to 10")
    mixed_precision = arguments.mixed_precision
    if mixed_precision and arguments.device == "cpu" and not computes_bfloat16():
        print("this processor has no bfloat16 products: training in float32", file=sys.stderr)
        mixed_precision = False

    configuration = chosen_configuration(arguments)
    if arguments.image_size is not None:
        configuration = dataclasses.replace(configuration, image_size=arguments.image_size)
    train_set = ImageFolder(arguments.data / "train", configuration, augment=True,
                            smallest_crop=arguments.smallest_crop, mirror=not arguments.no_mirror,
                            rand_augment=arguments.rand_augment)
    validation_set = ImageFolder(arguments.data / "val", configuration, augment=False)
    if train_set.labels != validation_set.labels:
        raise CommandError(f"train/ and val/ have different labels: "
                           f"{', '.join(sorted(set(train_set.labels) ^ set(validation_set.labels)))}")
    configuration = dataclasses.replace(
        configuration, num_labels=len(train_set.labels), labels=train_set.labels)
    model = CETNet(configuration)
    initialize_for_training(model, arguments.seed)
    if arguments.init is not None:
        start_from(model, arguments.init)
    model.to(arguments.device)

    generator = torch.Generator().manual_seed(arguments.seed)
    # The last batch is left out when it is smaller: batch statistics of a single image are of no use.
    loader = DataLoader(
        train_set, arguments.batch_size, shuffle=True, num_workers=arguments.workers, generator=generator,
        worker_init_fn=seed_worker, drop_last=len(train_set) > arguments.batch_size)
    validation = DataLoader(validation_set, arguments.batch_size, num_workers=arguments.workers)
    settings = TrainingSettings(
        arguments.epochs, arguments.learning_rate, arguments.weight_decay, arguments.warmup_epochs,
        arguments.label_smoothing, mixup=arguments.mixup, mixed_precision=mixed_precision)
    arguments.output.mkdir(parents=True, exist_ok=True)

    def evaluate(model: CETNet) -> float:
        top1, top5 = accuracies_of(model, validation)
        if configuration.num_labels > 5:
            print(f"top-5 {100 * top5:.2f} %", file=sys.stderr)
        return top1

    best = train(
        model, lambda _: loader, len(loader), evaluate, settings,
        checkpoint=arguments.output / "last.pth", resume=arguments.resume,
        on_best=lambda: save_model(model, arguments.output))
    print(f"best accuracy {100 * best:.2f} % on {len(validation_set)} images: {arguments.output}")
    example = shlex.quote(str(validation_set.files[0][0]))
    print(f"next: cetnet classify --model {shlex.quote(str(arguments.output))} {example}")
    return 0


def start_from(model: CETNet, path: Path) -> None:
    """Fine-tuning: all tensors must fit but the head's, which may be of another data set."""
    tensors = read_tensors(path)[0] if path.suffix == ".safetensors" else state_dict_of(read_training_state(path), path)
    own = model.state_dict()
    for name in ("head.weight", "head.bias"):
        if name in tensors and tensors[name].shape != own[name].shape:
            tensors[name] = own[name]
    load_weights(model, tensors, str(path))


if __name__ == "__main__":
    run(main)
