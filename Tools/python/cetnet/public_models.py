"""Models of public packages with random weights, saved by the packages' own means, for comparisons.

Torchvision, timm and Transformers (requirements-comparison.txt) are imported when a model is asked for; nothing is
downloaded.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .commands import REPOSITORY, CommandError
from .configuration import ModelConfiguration
from .initialization import random_images, randomize
from .layouts import LAYOUTS, renamed_back
from .segmentation import build

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


@torch.inference_mode()
def embeddings(module: nn.Module, images: Tensor) -> Tensor:
    """What the classifier reads, in float64; the module stays in it: timm's `forward_head(pre_logits=True)`."""
    classifier = module.get_classifier() if hasattr(module, "get_classifier") else None
    classifier = classifier or getattr(module, "classifier", None) or module.head
    found: list[Tensor] = []
    hook = classifier.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    logits(module, images)
    hook.remove()
    return found[0]


def save_transformers(folder: Path, kind: str, processor: Mapping[str, Any], **settings: Any) -> nn.Module:
    """A directory as from the Hugging Face hub. `settings` are those of the model's configuration."""
    transformers = package("transformers")
    transformers.utils.logging.disable_progress_bar()
    configuration, model, image_processor = (getattr(transformers, name) for name in TRANSFORMERS[kind])
    module = filled(model(configuration(**settings)))
    module.save_pretrained(folder)
    image_processor(**processor).save_pretrained(folder)
    return module


def save_upernet(folder: Path, backbone: Mapping[str, Any], labels: int = 150, side: int = 512,
                 **settings: Any) -> nn.Module:
    """UPerNet with Swin as from the Hugging Face hub; `backbone` are settings of SwinConfig. Its head says every class
    about as often, or one would be everywhere."""
    transformers = package("transformers")
    transformers.utils.logging.disable_progress_bar()
    stages = [f"stage{stage + 1}" for stage in range(4)]
    configuration = transformers.UperNetConfig(
        backbone_config=transformers.SwinConfig(out_features=stages, **backbone),
        id2label={index: f"class {index}" for index in range(labels)}, **settings)
    module = filled(transformers.UperNetForSemanticSegmentation(configuration))
    with torch.no_grad():
        logits = module(random_images(1, 128, 128, seed=1)).logits.transpose(0, 1).flatten(1)
        classifier, (spread, mean) = module.decode_head.classifier, torch.std_mean(logits, dim=1)
        classifier.bias.copy_((classifier.bias - mean) / spread)
        classifier.weight.div_(spread[:, None, None, None])
    module.save_pretrained(folder)
    transformers.SegformerImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
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


def save_authors(folder: Path, layout_name: str, variant: str) -> nn.Module:
    """What convert.py makes of a checkpoint in its authors' names. No package has them: the model is this project's."""
    layout = next(layout for layout in LAYOUTS if layout.name == layout_name)
    configuration = dataclasses.replace(ModelConfiguration.for_variant(variant), **layout.computes)
    module = randomize(build(configuration), seed=1)
    convert(renamed_back(module.state_dict(), layout), folder)
    return module


@dataclass(frozen=True)
class PublicModel:
    """`save` writes a directory as a user would have it, and gives the model; `sizes` are (height, width)."""

    save: Callable[[Path], nn.Module]
    sizes: tuple[tuple[int, int], ...] = ((224, 224),)
    segments: bool = False


def _upernet(**backbone: Any) -> PublicModel:
    return PublicModel(lambda folder: save_upernet(folder, backbone),
                       ((512, 512), (349, 511), (224, 224), (101, 75)), segments=True)


def _transformers(kind: str, processor: Mapping[str, Any], **settings: Any) -> PublicModel:
    return PublicModel(lambda folder: save_transformers(folder, kind, processor, num_labels=1000, **settings))


def _timm(architecture: str, side: int) -> PublicModel:
    return PublicModel(lambda folder: save_timm(folder, architecture), ((side, side),))


def _torchvision(name: str, *sizes: tuple[int, int]) -> PublicModel:
    return PublicModel(lambda folder: save_torchvision(folder, getattr(package("torchvision").models, name)()), sizes)


def _authors(layout_name: str, variant: str, segments: bool = False) -> PublicModel:
    return PublicModel(lambda folder: save_authors(folder, layout_name, variant), segments=segments)


# The sizes that are published. Transformers shrinks windows that are larger than a map, timm and Transformers' PVT take
# one size only.
MODELS = {
    "transformers/swin-t": _transformers("swin", {"size": {"height": 224, "width": 224}}),
    "transformers/pvt-s": _transformers("pvt", {}, depths=[3, 4, 6, 3]),
    "transformers/cvt-13": _transformers("cvt", {"size": {"shortest_edge": 224}}),
    "transformers/upernet-swin-t": _upernet(window_size=7),
    "transformers/upernet-swin-b": _upernet(
        window_size=12, embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32]),
    **{f"timm/{name}": _timm(name, side) for name, side in (
        ("swin_tiny_patch4_window7_224", 224), ("swin_small_patch4_window7_224", 224),
        ("swin_base_patch4_window7_224", 224), ("swin_base_patch4_window12_384", 384))},
    "torchvision/swin_t": _torchvision("swin_t", (224, 224), (256, 320), (200, 168)),
    "torchvision/swin_s": _torchvision("swin_s", (224, 224)),
    "torchvision/swin_b": _torchvision("swin_b", (224, 224)),
    "mmsegmentation/upernet-swin-t": _authors(
        "mmsegmentation's UPerNet with Swin", "swin-t-upernet", segments=True),
    "authors/upernet-swin-t": _authors(
        "the authors' Swin Transformer with UPerNet", "swin-t-upernet", segments=True),
    "authors/swin-t": _authors("the authors' Swin Transformer", "swin-t"),
    "authors/pvt-s": _authors("the authors' PVT", "pvt-s"),
    "authors/cvt-13": _authors("the authors' CvT", "cvt-13"),
    "authors/cswin-t": _authors("the authors' CSWin Transformer", "cswin-t"),
}
