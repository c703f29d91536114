"""What the scripts share: arguments, and one way to end with an error."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .checkpoint import CheckpointError
from .configuration import ConfigurationError, ModelConfiguration
from .preprocessing import ImageError

REPOSITORY = Path(__file__).resolve().parents[3]
IMAGENET = REPOSITORY / "Sources" / "PublicCheckpoints" / "Resources" / "imagenet-1k.txt"


def imagenet_labels() -> tuple[str, ...]:
    """What the classes of ImageNet-1k are called; the file has WordNet's ids in front."""
    return tuple(line.split("\t")[1] for line in IMAGENET.read_text(encoding="utf-8").splitlines())


class CommandError(Exception):
    """A call that cannot be carried out. The message says why."""


def run(main: Callable[[], int]) -> None:
    """Ends the process with main's status: 0 fine, 1 a check failed, 2 unusable call, file or model."""
    try:
        status = main()
    except (CommandError, CheckpointError, ConfigurationError, ImageError) as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def image_size(text: str) -> tuple[int, int]:
    """`224` or `200x168` (height × width)."""
    parts = text.lower().split("x")
    try:
        sides = [int(part) for part in parts]
    except ValueError:
        sides = []
    if len(sides) not in (1, 2) or min(sides) < 32:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write N or HxW, each side at least 32")
    return sides[0], sides[-1]


def add_configuration_arguments(parser: argparse.ArgumentParser, required: bool) -> None:
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument("--variant", help="a known variant, for instance cetnet-t")
    group.add_argument("--config", type=Path, metavar="FILE", help="a config.json")


def chosen_configuration(arguments: argparse.Namespace) -> ModelConfiguration | None:
    if arguments.variant is not None:
        return ModelConfiguration.for_variant(arguments.variant)
    if arguments.config is not None:
        return ModelConfiguration.from_file(arguments.config)
    return None


def read_labels(path: Path, count: int) -> tuple[str, ...]:
    """One label per line; `count` of them."""
    try:
        labels = tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from None
    if len(labels) != count:
        raise CommandError(f"{path}: expected {count} labels, found {len(labels)}")
    return labels
