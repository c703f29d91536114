"""Stands in for the `cetnet` executable, with PyTorch behind the same command line, to test the verifying scripts.

It reads directories of Transformers and timm too: as little of them as the packages' own files need.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image  # noqa: E402

from cetnet.checkpoint import CONFIG_NAME, WEIGHTS_NAME, load_weights, read_tensors  # noqa: E402
from cetnet.configuration import ModelConfiguration, PreprocessConfiguration  # noqa: E402
from cetnet.costs import layer_costs  # noqa: E402
from cetnet.layouts import configuration_of_tensors, crop_share, recognise  # noqa: E402
from cetnet.model import CETNet  # noqa: E402
from cetnet.preprocessing import decode, preprocess  # noqa: E402
from cetnet.variants import VARIANTS  # noqa: E402


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


def opened(folder):
    """The configuration of a model, and its tensors under this project's names."""
    folder = Path(folder)
    values = json.loads((folder / CONFIG_NAME).read_text())
    tensors, _ = read_tensors(folder / WEIGHTS_NAME)
    if values.get("model_type") == "cetnet":
        configuration = ModelConfiguration.from_dict(values)
        return configuration, tensors if "stages.0.blocks.0.norm1.weight" in tensors else recognise(tensors, folder)[1]
    layout, renamed = recognise(tensors, folder)
    if "architecture" in values:
        settings, side = timm_preprocess(values["pretrained_cfg"])
    else:
        settings, side = transformers_preprocess(json.loads((folder / "preprocessor_config.json").read_text()))
    keys = {"swin": "num_heads", "cvt": "num_heads", "pvt": "num_attention_heads"}
    configuration = configuration_of_tensors(
        renamed, layout, str(folder), side, tuple(values.get(keys.get(values.get("model_type")), ())))
    # Transformers' Swin reads its epsilon for some norms only, its CvT for none.
    eps = values["layer_norm_eps"] if layout.block == "pvt" else None
    return dataclasses.replace(configuration, preprocess=settings, layer_norm_eps=eps), renamed


def timm_preprocess(values):
    keys = ("interpolation", "crop_pct", "mean", "std", "crop_mode")
    return PreprocessConfiguration(**{key: values[key] for key in keys}), values["input_size"][-1]


def transformers_preprocess(values):
    factor = values.get("rescale_factor", 1 / 255) if values.get("do_rescale", True) else 1
    mean, std = (values["image_mean"], values["image_std"]) if values["do_normalize"] else ([0] * 3, [1] * 3)
    size, kind = values["size"], values.get("image_processor_type", values.get("feature_extractor_type"))
    if not isinstance(size, dict):
        size = {"shortest_edge": size} if kind.startswith("ConvNext") else {"height": size}
    edge = size.get("shortest_edge")
    side, resized, mode = (edge, edge, "center") if edge else (size["height"], size["height"], "squash")
    if kind.startswith("ConvNext"):
        resized, mode = (int(edge / values["crop_pct"]), "center") if edge < 384 else (edge, "squash")
    elif values.get("do_center_crop"):
        side = values["crop_size"]["height"]
    return PreprocessConfiguration(
        Image.Resampling(values["resample"]).name.lower(), crop_share(side, resized),
        tuple(value / 255 / factor for value in mean), tuple(value / 255 / factor for value in std), mode, "down"), side


def inspect(arguments, fault):
    configuration = ModelConfiguration.for_variant(arguments.model) if arguments.model in VARIANTS \
        else opened(arguments.model)[0]
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
    pixels = preprocess(decode(arguments.image), opened(arguments.model)[0])[None].numpy()
    if fault == "pixels":
        pixels[0, 0, :3] += 0.02
    np.save(arguments.output, pixels)


def run(arguments, fault):
    configuration, tensors = opened(arguments.model)
    model = CETNet(configuration).eval()
    load_weights(model, tensors, arguments.model)
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
