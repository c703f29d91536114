"""Models of public packages with random weights, saved by the packages' own means, for comparisons.

Torchvision, timm and Transformers (requirements-comparison.txt) are imported when a model is asked for; nothing is
downloaded.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .commands import REPOSITORY, CommandError
from .initialization import randomize

os.environ.setdefault("HF_HUB_OFFLINE", "1")
CONVERT = REPOSITORY / "Tools" / "python" / "convert.py"
# By Transformers' model_type: configuration, model, and the image processor that the published models have.
TRANSFORMERS = {"swin": ("SwinConfig", "SwinForImageClassification", "ViTImageProcessor"),
                "pvt": ("PvtConfig", "PvtForImageClassification", "PvtImageProcessor"),
                "cvt": ("CvtConfig", "CvtForImageClassification", "ConvNextImageProcessor")}
# What torchvision looks for when it is imported.
OPERATORS = ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
             "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_libraries: list[torch.library.Library] = []  # declarations last as long as these objects


class PackageError(CommandError):
    """A package that is not installed, or that cannot be imported."""


def package(name: str) -> ModuleType:
    """`torchvision`, `timm` or `transformers`; all of them import torchvision."""
    try:
        _import_torchvision()
        return importlib.import_module(name)
    except ImportError as error:
        raise PackageError(f"needs {name} (pip install --no-deps -r Tools/python/requirements-comparison.txt): "
                           f"{error}") from None


def _import_torchvision() -> None:
    """Its build for CUDA cannot load its operators beside PyTorch's for CPUs, yet wants to describe some of them: they
    are declared here, without an implementation."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "does not exist" not in str(error) or _libraries:
            raise PackageError(f"torchvision cannot be imported: {error}") from None
        for module in [module for module in sys.modules if module.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in OPERATORS:
            if not hasattr(torch.ops.torchvision, operator.split("(")[0]):
                library.define(operator)
        _libraries.append(library)
        importlib.import_module("torchvision")


@torch.no_grad()
def filled(module: nn.Module, seed: int = 1) -> nn.Module:
    """With random values everywhere, in what only the package's own modules hold too, ready for inference."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in module.named_parameters():
        if name.endswith(("relative_position_bias_table", "cls_token", "position_embeddings")):
            value.normal_(0, 0.5, generator=generator)
    for name, value in module.named_buffers():
        if name.endswith("num_batches_tracked"):
            value.random_(1, 1000, generator=generator)
    return randomize(module, seed)


@torch.inference_mode()
def logits(module: nn.Module, images: Tensor) -> Tensor:
    """In float64; the module stays in it."""
    found = module.double().eval()(images.double())
    return getattr(found, "logits", found)


def save_transformers(folder: Path, kind: str, processor: Mapping[str, Any], **settings: Any) -> nn.Module:
    """A directory as from the Hugging Face hub. `settings` are those of the model's configuration."""
    transformers = package("transformers")
    transformers.utils.logging.disable_progress_bar()
    configuration, model, image_processor = (getattr(transformers, name) for name in TRANSFORMERS[kind])
    module = filled(model(configuration(**settings)))
    module.save_pretrained(folder)
    image_processor(**processor).save_pretrained(folder)
    return module


def save_timm(folder: Path, architecture: str, data: Mapping[str, Any] | None = None, **settings: Any) -> nn.Module:
    """A directory as from the Hugging Face hub. `data` replaces parts of the architecture's preprocessing."""
    timm = package("timm")
    module = filled(timm.create_model(architecture, **settings))
    timm.models.save_for_hf(module, folder, safe_serialization=True, data_config=dict(data or {}))
    return module


def save_torchvision(folder: Path, module: nn.Module, *options: object) -> nn.Module:
    """What convert.py makes of a torchvision model's state_dict, names kept."""
    convert(filled(module).state_dict(), folder, *options)
    return module


def convert(tensors: Mapping[str, Tensor], folder: Path, *options: object) -> None:
    """Turns a .pth file with these tensors into the directory `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pth"
    torch.save(dict(tensors), checkpoint)
    command = [sys.executable, CONVERT, checkpoint, "--output", folder, *options]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    checkpoint.unlink()
    if result.returncode != 0:
        raise CommandError(f"convert.py: status {result.returncode}\n{result.stderr.strip()}")
