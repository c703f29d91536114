#!/usr/bin/env python3
"""Turns a PyTorch checkpoint (.pth) into a model that the Swift package reads."""

import argparse
import dataclasses
from pathlib import Path

from cetnet.checkpoint import (
    ELEMENT_TYPES, configuration_of, load_weights, read_training_state, save_model, state_dict_of)
from cetnet.commands import add_configuration_arguments, chosen_configuration, read_labels, run
from cetnet.model import CETNet


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The checkpoint is a state_dict, alone or under \"model\" or \"state_dict\", and is read with "
               "weights_only. Checkpoints of train.py carry their configuration; for others name one.")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT.pth")
    add_configuration_arguments(parser, required=False)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR|FILE.safetensors",
                        help="a model directory, or a single file with the configuration in its metadata")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="one label per line, in the order of the outputs")
    parser.add_argument("--dtype", choices=sorted(ELEMENT_TYPES), default="F32", help="default: F32")
    arguments = parser.parse_args()

    state = read_training_state(arguments.checkpoint)
    tensors = state_dict_of(state, arguments.checkpoint)
    configuration = chosen_configuration(arguments)
    if configuration is None:
        configuration = configuration_of(state, arguments.checkpoint)
    elif "head.bias" in tensors and arguments.variant is not None:
        configuration = dataclasses.replace(configuration, num_labels=len(tensors["head.bias"]))
    if arguments.labels is not None:
        labels = read_labels(arguments.labels, configuration.num_labels)
        configuration = dataclasses.replace(configuration, labels=labels)
    model = CETNet(configuration)
    load_weights(model, tensors, str(arguments.checkpoint))
    save_model(model, arguments.output, arguments.dtype)
    print(arguments.output)
    return 0


if __name__ == "__main__":
    run(main)
