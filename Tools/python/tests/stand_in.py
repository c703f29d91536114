#!/usr/bin/env python3
"""Stands in for the `cetnet` executable, with PyTorch behind the same command line, to test the verifying scripts.

The environment variable STAND_IN_FAULT makes it wrong in one way: logits, features, nan, batch, parameters, layers,
pixels, status.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cetnet.checkpoint import CONFIG_NAME, load_model  # noqa: E402
from cetnet.configuration import VARIANTS, ModelConfiguration  # noqa: E402
from cetnet.costs import layer_costs  # noqa: E402
from cetnet.preprocessing import decode, preprocess  # noqa: E402

torch.set_num_threads(1)
fault = os.environ.get("STAND_IN_FAULT")
parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command", required=True)
inspect = commands.add_parser("inspect")
inspect.add_argument("model")
inspect.add_argument("--json", action="store_true", required=True)
inspect.add_argument("--image-size")
run = commands.add_parser("run")
for option in ("--model", "--input", "--output"):
    run.add_argument(option, required=True)
run.add_argument("--features", type=Path)
run.add_argument("--threads", type=int)
images = commands.add_parser("preprocess")
images.add_argument("--model", required=True)
images.add_argument("image")
images.add_argument("--output", required=True)
arguments = parser.parse_args()
if fault == "status":
    sys.exit("the stand-in was told to fail")

if arguments.command == "inspect":
    configuration = ModelConfiguration.for_variant(arguments.model) if arguments.model in VARIANTS \
        else ModelConfiguration.from_file(Path(arguments.model) / CONFIG_NAME)
    side = configuration.image_size
    height, width = map(int, arguments.image_size.split("x")) if arguments.image_size else (side, side)
    rows = layer_costs(configuration, height, width)
    parameters = sum(row.parameters for row in rows) + (fault == "parameters")
    if fault == "layers":
        rows.pop()
    print(json.dumps({
        "variant": configuration.variant, "parameters": parameters,
        "multiply_adds": sum(row.multiply_adds for row in layer_costs(configuration, height, width)),
        "layers": [{"name": row.name, "parameters": row.parameters, "multiply_adds": row.multiply_adds}
                   for row in rows]}))
elif arguments.command == "preprocess":
    pixels = preprocess(decode(arguments.image), load_model(arguments.model).configuration)[None].numpy()
    if fault == "pixels":
        pixels[0, 0, :3] += 0.02
    np.save(arguments.output, pixels)
else:
    model = load_model(arguments.model)
    batch = torch.from_numpy(np.load(arguments.input))
    with torch.no_grad():
        # One image at a time, so that the batch makes no difference to the last bit.
        features = [torch.cat(maps) for maps in zip(*(model.forward_features(image[None]) for image in batch))]
        logits = torch.cat([model.forward_head(image[None]) for image in features[-1]])
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
