#!/usr/bin/env python3
"""Turns a checkpoint of another project (.pth) into a directory with safetensors and a configuration.

Known are Swin, PVT, CvT and CSWin as their authors publish them, torchvision's and timm's Swin, and Transformers' Swin,
PVT and CvT; for segmentation UPerNet with Swin, as mmsegmentation, Swin's authors and Transformers publish it. What kind of model it is follows from the tensors' names and shapes. A directory of Transformers or timm
as downloaded, with pytorch_model.bin, keeps its configuration; only the tensors are written anew. In a directory without
config.json, the tensors say what they are.
"""

import argparse
import dataclasses
import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from cetnet.checkpoint import (
    CONFIG_NAME, ELEMENT_TYPES, INDEX_SUFFIX, WEIGHTS_NAME, CheckpointError, has_weights, load_weights, read_shards,
    read_tensors, read_training_state, read_weights, save_model, state_dict_of, write_bytes, write_tensors, write_text)
from cetnet.commands import CommandError, imagenet_labels, read_labels, run
from cetnet.configuration import ModelConfiguration, PreprocessConfiguration
from cetnet.costs import parameter_count
from cetnet.layouts import EVALUATIONS, Evaluation, Layout, configuration_of_tensors, evaluation, is_buffer, recognise
from cetnet.segmentation import build

PICKLED_NAME, PREPROCESSOR_NAME = "pytorch_model.bin", "preprocessor_config.json"
# What a directory's own configuration already says.
OPTIONS = ("rename", "labels", "image_size", "crop")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=epilog())
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT.pth|FILE.safetensors|DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rename", action="store_true",
                        help="give the tensors this project's names; default: as they are in the checkpoint")
    parser.add_argument("--labels", type=Path, metavar="FILE",
                        help="one label per line, in the order of the outputs; default: ImageNet-1k's if there are "
                             "1000, which cetnet adds itself where the names are kept")
    parser.add_argument("--image-size", type=int, metavar="N",
                        help="side of the images that the model was trained with; default: 224, or what position "
                             "embeddings say")
    parser.add_argument("--crop", type=float, metavar="SHARE",
                        help="share of the shorter side that a crop shows; default: as the authors evaluate, see below")
    parser.add_argument("--dtype", choices=sorted(ELEMENT_TYPES), default="F32", help="default: F32")
    arguments = parser.parse_args()
    if arguments.output.suffix == ".safetensors":
        raise CommandError(f"{arguments.output}: --output is a directory")
    if arguments.checkpoint.is_dir() and (arguments.checkpoint / CONFIG_NAME).exists():
        return convert_directory(arguments)
    tensors, source = read_checkpoint(arguments.checkpoint)
    layout, renamed = recognise(tensors, source)
    configuration = configuration_of_tensors(renamed, layout, source, arguments.image_size)
    preprocess = "squashed" if configuration.is_dense else f"crop as in {evaluation(layout, configuration).source}"
    if arguments.labels is not None:
        labels = read_labels(arguments.labels, configuration.num_labels)
        configuration = dataclasses.replace(configuration, labels=labels)
    elif arguments.rename and not configuration.is_dense and configuration.num_labels == 1000:
        configuration = dataclasses.replace(configuration, labels=imagenet_labels())
    if arguments.crop is not None and configuration.is_dense:
        raise CommandError("--crop does not go with a segmentation model, which labels all of an image")
    if arguments.crop is not None:
        configuration = dataclasses.replace(configuration, preprocess=PreprocessConfiguration(crop_pct=arguments.crop))
        configuration.validate("--crop")
        preprocess = f"crop {arguments.crop:g}"
    warn(layout, configuration)
    model = build(configuration)
    load_weights(model, renamed, f"{source}, {layout.name}")  # every tensor is there and has the right shape

    if arguments.rename or layout.merging:  # the engine reads patch merging in this project's order only
        save_model(model, arguments.output, arguments.dtype)
    else:
        write_kept(tensors, arguments.output, arguments.dtype)
        write_text(configuration.to_json(), arguments.output / CONFIG_NAME)
    print(f"{arguments.output}: {layout.name}, {configuration.variant or 'no known variant'}, "
          f"{parameter_count(configuration):,} parameters, {configuration.num_labels} labels, "
          f"{configuration.image_size}×{configuration.image_size}, {preprocess}")
    return 0


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file, or of a directory that says nothing about them, and what messages call it."""
    if path.is_dir():
        if has_weights(path):
            return read_weights(path)
        if has_weights(path, PICKLED_NAME):
            return read_pickled(path), str(path)
        raise CheckpointError(f"{path}: expected {CONFIG_NAME} and {PICKLED_NAME}, or {WEIGHTS_NAME}, found none")
    tensors = read_tensors(path)[0] if path.suffix == ".safetensors" \
        else state_dict_of(read_training_state(path), path)
    return tensors, str(path)


def read_pickled(folder: Path) -> dict[str, Tensor]:
    """The tensors of `pytorch_model.bin`, whole or in shards."""
    if (folder / PICKLED_NAME).exists():
        return state_dict_of(read_training_state(folder / PICKLED_NAME), folder / PICKLED_NAME)
    return read_shards(folder / (PICKLED_NAME + INDEX_SUFFIX),
                       lambda path: state_dict_of(read_training_state(path), path))


def epilog() -> str:
    """How the preprocessing follows from EVALUATIONS, and how files are read."""
    def says(row: Evaluation) -> str:
        of = ", ".join(row.layouts) + (f", {row.variant}" if row.variant else "") + \
            (f", from {row.least_size}×{row.least_size}" if row.least_size else "")
        squash = " of an image squashed to a square" if row.preprocess.crop_mode == "squash" else ""
        return f"  {of}: {row.preprocess.crop_pct:.4g}{squash} ({row.source})"

    closing = ('The checkpoint is a state_dict, alone or under "model", "state_dict" or "state_dict_ema", and is read '
               'with weights_only, so that a file from a stranger cannot run code. A checkpoint of this project is '
               'converted by export.py.')
    return "\n".join(["crop, by whose names the tensors have:", *map(says, EVALUATIONS),
                      f"  else {PreprocessConfiguration().crop_pct:g}", "", *textwrap.wrap(closing, 100)])


def warn(layout: Layout, configuration: ModelConfiguration) -> None:
    """Of what no shape tells and this project has otherwise."""
    if layout.block == "cswin" and configuration.image_size >= 384:
        print("warning: the authors' models for 384×384 have stripes of 12 in the third stage, this project's of 7: "
              "with weights for 384×384 the results are not the authors'", file=sys.stderr)


def write_kept(tensors: Mapping[str, Tensor], output: Path, dtype: str) -> None:
    """Under the names that they have; numbers that are none of the model's weights stay behind."""
    output.mkdir(parents=True, exist_ok=True)
    kept = {name: value.detach().to(ELEMENT_TYPES[dtype]).clone().contiguous()
            for name, value in tensors.items() if not is_buffer(name)}
    write_tensors(kept, output / WEIGHTS_NAME, {"format": "pt"})


def convert_directory(arguments: argparse.Namespace) -> int:
    """As downloaded from the Hugging Face hub, of the time before safetensors."""
    folder: Path = arguments.checkpoint
    for option in OPTIONS:
        if getattr(arguments, option) not in (None, False):
            raise CommandError(f"--{option.replace('_', '-')} does not go with a directory, whose {CONFIG_NAME} is "
                               f"kept; give {folder / PICKLED_NAME}")
    if not has_weights(folder, PICKLED_NAME):
        ready = f"; {WEIGHTS_NAME} needs no conversion" if has_weights(folder) else ""
        raise CheckpointError(f"{folder}: expected {PICKLED_NAME}, found none{ready}")
    configuration = folder / CONFIG_NAME
    try:
        copies = {CONFIG_NAME: configuration.read_bytes()}
        values = json.loads(copies[CONFIG_NAME])
        if (folder / PREPROCESSOR_NAME).exists():
            copies[PREPROCESSOR_NAME] = (folder / PREPROCESSOR_NAME).read_bytes()
    except OSError as error:
        raise CheckpointError(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise CheckpointError(f"{configuration}: not valid JSON: {error}") from None
    keys = ("model_type", "architecture")
    kind = next((values[key] for key in keys if isinstance(values, dict) and key in values), None)
    if kind is None:
        raise CheckpointError(f'{configuration}: expected "model_type" (Transformers) or "architecture" (timm), found '
                              f'neither')
    write_kept(read_pickled(folder), arguments.output, arguments.dtype)
    for name, data in copies.items():
        write_bytes(data, arguments.output / name)
    print(f"{arguments.output}: {kind}, {', '.join(copies)} as in {folder}")
    return 0


if __name__ == "__main__":
    run(main)
