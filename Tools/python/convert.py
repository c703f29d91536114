#!/usr/bin/env python3
"""Turns a checkpoint of another project (.pth) into a directory with safetensors and a configuration.

Known are Swin, PVT, CvT and CSWin as their authors publish them, torchvision's and timm's Swin, and Transformers' Swin,
PVT and CvT. What kind of model it is follows from the tensors' names and shapes.
"""

import argparse
import dataclasses
from pathlib import Path

from cetnet.checkpoint import (
    CONFIG_NAME, ELEMENT_TYPES, WEIGHTS_NAME, load_weights, read_tensors, read_training_state, save_model,
    state_dict_of, write_tensors, write_text)
from cetnet.commands import CommandError, read_labels, run
from cetnet.configuration import PreprocessConfiguration
from cetnet.costs import parameter_count
from cetnet.layouts import configuration_of_tensors, is_buffer, recognise
from cetnet.model import CETNet


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="The checkpoint is a state_dict, alone or under \"model\", \"state_dict\" or \"state_dict_ema\", and\n"
               "is read with weights_only, so that a file from a stranger cannot run code. A checkpoint of this\n"
               "project is converted by export.py.")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT.pth|FILE.safetensors")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rename", action="store_true",
                        help="give the tensors this project's names; default: as they are in the checkpoint")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="one label per line, in the order of the outputs")
    parser.add_argument("--image-size", type=int, metavar="N",
                        help="side of the images that the model was trained with; default: 224, or what position "
                             "embeddings say")
    parser.add_argument("--crop", type=float, metavar="SHARE",
                        help="share of the shorter side that a crop shows; default: 0.9")
    parser.add_argument("--dtype", choices=sorted(ELEMENT_TYPES), default="F32", help="default: F32")
    arguments = parser.parse_args()

    source = str(arguments.checkpoint)
    tensors = read_tensors(arguments.checkpoint)[0] if arguments.checkpoint.suffix == ".safetensors" \
        else state_dict_of(read_training_state(arguments.checkpoint), arguments.checkpoint)
    layout, renamed = recognise(tensors, source)
    configuration = configuration_of_tensors(renamed, layout, source, arguments.image_size)
    if arguments.labels is not None:
        labels = read_labels(arguments.labels, configuration.num_labels)
        configuration = dataclasses.replace(configuration, labels=labels)
    if arguments.crop is not None:
        configuration = dataclasses.replace(configuration, preprocess=PreprocessConfiguration(crop_pct=arguments.crop))
    model = CETNet(configuration)
    load_weights(model, renamed, f"{source}, {layout.name}")  # every tensor is there and has the right shape

    if arguments.output.suffix == ".safetensors":
        raise CommandError(f"{arguments.output}: --output is a directory")
    if arguments.rename:
        save_model(model, arguments.output, arguments.dtype)
    else:
        arguments.output.mkdir(parents=True, exist_ok=True)
        kept = {name: value.detach().to(ELEMENT_TYPES[arguments.dtype]).clone().contiguous()
                for name, value in tensors.items() if not is_buffer(name)}
        write_tensors(kept, arguments.output / WEIGHTS_NAME, {"format": "pt"})
        write_text(configuration.to_json(), arguments.output / CONFIG_NAME)
    print(f"{arguments.output}: {layout.name}, {configuration.variant or 'no known variant'}, "
          f"{parameter_count(configuration):,} parameters, {configuration.num_labels} labels, "
          f"{configuration.image_size}×{configuration.image_size}")
    return 0


if __name__ == "__main__":
    run(main)
