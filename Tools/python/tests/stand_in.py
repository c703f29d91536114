"""Stands in for the `cetnet` executable, with PyTorch behind the same command line, to test the verifying scripts."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cetnet.checkpoint import CONFIG_NAME, load_model  # noqa: E402
from cetnet.configuration import VARIANTS, ModelConfiguration  # noqa: E402
from cetnet.costs import layer_costs  # noqa: E402
from cetnet.preprocessing import decode, preprocess  # noqa: E402


def answer(call, fault=None):
    """What the executable would print. `fault` makes the answer wrong in one way."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("inspect")
    command.add_argument("model")
    command.add_argument("--json", action="store_true", required=True)
    command.add_argument("--image-size")
    command.set_defaults(act=inspect)
    command = commands.add_parser("run")
    for option in ("--model", "--input", "--output"):
        command.add_argument(option, required=True)
    command.add_argument("--features", type=Path)
    command.add_argument("--threads", type=int)
    command.set_defaults(act=run)
    command = commands.add_parser("preprocess")
    command.add_argument("--model", required=True)
    command.add_argument("image")
    command.add_argument("--output", required=True)
    command.set_defaults(act=preprocessed)
    arguments = parser.parse_args([str(argument) for argument in call])
    return arguments.act(arguments, fault) or ""


def inspect(arguments, fault):
    configuration = ModelConfiguration.for_variant(arguments.model) if arguments.model in VARIANTS \
        else ModelConfiguration.from_file(Path(arguments.model) / CONFIG_NAME)
    side = configuration.image_size
    height, width = map(int, arguments.image_size.split("x")) if arguments.image_size else (side, side)
    rows = layer_costs(configuration, height, width)
    totals = {key: sum(getattr(row, key) for row in rows) for key in ("parameters", "multiply_adds")}
    totals["parameters"] += fault == "parameters"
    if fault == "layers":
        rows.pop()
    return json.dumps({"variant": configuration.variant, **totals, "layers": [
        {"name": row.name, "parameters": row.parameters, "multiply_adds": row.multiply_adds} for row in rows]})


def preprocessed(arguments, fault):
    pixels = preprocess(decode(arguments.image), load_model(arguments.model).configuration)[None].numpy()
    if fault == "pixels":
        pixels[0, 0, :3] += 0.02
    np.save(arguments.output, pixels)


def run(arguments, fault):
    model = load_model(arguments.model)
    batch = torch.from_numpy(np.load(arguments.input))
    with torch.no_grad():
        # One image at a time, so that the batch makes no difference to the last bit.
        outputs = [model.forward_with_features(image[None]) for image in batch]
    logits = torch.cat([logits for logits, _ in outputs])
    features = [torch.cat(maps) for maps in zip(*(maps for _, maps in outputs))]
    if fault == "logits":
        logits[-1, 0] += 1e-3
    if fault == "nan":
        logits[-1, 0] = torch.nan
    if fault == "batch" and len(batch) == 3 and arguments.threads == 2:
        logits[0, 0] = torch.nextafter(logits[0, 0], torch.tensor(torch.inf))
    np.save(arguments.output, logits.numpy())
    if arguments.features is not None:
        arguments.features.mkdir(exist_ok=True)
        for stage, feature in enumerate(features):
            if fault == "features" and stage == 1:
                feature[0, 0, 0, 0] += 1e-2
            np.save(arguments.features / f"stage{stage + 1}.npy", feature.numpy())


if __name__ == "__main__":
    print(answer(sys.argv[1:]))
