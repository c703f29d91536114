#!/usr/bin/env python3
"""Exports a model, or a variant with random weights, to ONNX, for comparisons with other engines."""

import argparse
import contextlib
import io
import logging
import warnings
from pathlib import Path

import torch

from cetnet.commands import CommandError, image_size, run
from cetnet.configuration import ModelConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.loading import load_any
from cetnet.model import CETNet
from cetnet.segmentation import build
from cetnet.variants import VARIANTS

OPSET = 18
TOLERANCE = 1e-4


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The image size is fixed in the file (shift masks are constants); input \"images\" (B, 3, H, W), output "
               "\"logits\" (B, labels), of a segmentation model (B, labels, H/4, W/4). Exits with status 1 if --check "
               "finds a difference.")
    parser.add_argument("model", metavar="VARIANT|MODEL")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--image-size", type=image_size, metavar="N|HxW", help="default: the configuration's")
    parser.add_argument("--batch", type=int, metavar="N", help="fix the batch size; default: any")
    parser.add_argument("--seed", type=int, default=0, help="of a variant's random weights; default: 0")
    parser.add_argument("--check", action="store_true", help="compare ONNX Runtime and OpenVINO with PyTorch")
    arguments = parser.parse_args()

    model = randomize(build(ModelConfiguration.for_variant(arguments.model)), arguments.seed) \
        if arguments.model in VARIANTS else load_any(arguments.model)
    size = arguments.image_size or (model.configuration.image_size,) * 2
    if arguments.output.suffix != ".onnx":
        raise CommandError(f"{arguments.output}: the name must end in .onnx")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    export(model, arguments.output, size, arguments.batch)
    print(arguments.output)
    return check(model, arguments.output, size, arguments.batch) if arguments.check else 0


def export(model: CETNet, output: Path, size: tuple[int, int], batch: int | None) -> None:
    """Writes one self-contained file."""
    images = random_images(batch or 2, *size, seed=1)  # traced with one image, the batch would be fixed at one
    shapes = None if batch else {"image": {0: torch.export.Dim("batch", min=1, max=1024)}}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of the exporter's own code
        torch.onnx.export(
            model, (images,), output, input_names=["images"], output_names=["logits"], dynamic_shapes=shapes,
            opset_version=OPSET, dynamo=True, external_data=False, verbose=False)


def check(model: CETNet, path: Path, size: tuple[int, int], batch: int | None) -> int:
    """Prints the largest differences; 1 if one exceeds 1e-4 · max(1, largest logit)."""
    import onnxruntime
    import openvino

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    core = openvino.Core()
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    engines = {
        f"ONNX Runtime {onnxruntime.__version__}":
            lambda images: session.run(["logits"], {"images": images.numpy()})[0],
        f"OpenVINO {openvino.__version__.split('-')[0]}": lambda images: compiled([images.numpy()])[0]}
    failures = 0
    for count in [batch] if batch else [1, 3]:
        images = random_images(count, *size, seed=count)
        with torch.inference_mode():
            expected = model(images)
        tolerance = TOLERANCE * max(1.0, expected.abs().max().item())
        for name, infer in engines.items():
            difference = (torch.from_numpy(infer(images)) - expected).abs().max().item()
            failures += not difference <= tolerance
            print(f"{name}, batch {count}: largest difference {difference:.2e}, tolerance {tolerance:.2e}")
    return 1 if failures else 0


if __name__ == "__main__":
    run(main)
