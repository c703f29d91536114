"""Image processors of Transformers and timm, saved beside small models, and what they make of an image."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from .comparison import LEAST_SHARE, PixelDifference
from .public_models import TRANSFORMERS, package, save_timm, save_transformers


def small(kind: str, side: int) -> dict[str, Any]:
    """A network for images of `side`; which does not matter."""
    return {"swin": dict(embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=side // 32, mlp_ratio=1.0),
            "pvt": dict(hidden_sizes=[8] * 4, depths=[1] * 4, num_attention_heads=[1] * 4, mlp_ratios=[1] * 4),
            "cvt": dict(embed_dim=[8] * 3, depth=[1, 2, 3], num_heads=[1] * 3, mlp_ratio=[1.0] * 3)}[kind]


@dataclass(frozen=True)
class Reference:
    """`compute` gives float32 (3, H, W) of an RGB image.

    Of its 8-bit values at least the share `least` must be the same, none more than `largest` apart, and in the mean not
    more than a quarter.
    """

    name: str
    compute: Callable[[Image.Image], Tensor]
    least: float = LEAST_SHARE
    largest: float = 1

    def accepts(self, pixels: PixelDifference) -> bool:
        return pixels.share >= self.least and pixels.largest <= self.largest + 0.01 and pixels.mean <= 0.25


# Torchvision's resizing of tensors. It goes along the rows first always, Pillow (13) along the columns where the height
# shrinks much more than the width. Both round to 8 bits in between, which is a level of difference; and both cut what a
# bicubic filter overshoots at edges, which is several.
TORCHVISION = {Image.Resampling.BILINEAR: dict(least=0.0), Image.Resampling.BICUBIC: dict(least=0.0, largest=math.inf)}


@dataclass(frozen=True)
class TransformersProcessor:
    """The processor of a `kind` of model, for images of `side`.

    `settings` are its arguments; `file`, where given, is the whole preprocessor_config.json instead.
    """

    kind: str
    side: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    file: Mapping[str, Any] | None = None

    def save(self, folder: Path) -> None:
        size = {} if self.kind == "cvt" else {"image_size": self.side}
        save_transformers(folder, self.kind, self.settings, **size, **small(self.kind, self.side))
        if self.file is not None:
            (folder / "preprocessor_config.json").write_text(json.dumps(self.file))

    def references(self, folder: Path) -> list[Reference]:
        """Pillow's form of the processor, and torchvision's, the default, where the filter is one of the usual ones."""
        transformers = package("transformers")
        pillow = getattr(transformers, f"{TRANSFORMERS[self.kind][2]}Pil").from_pretrained(folder)
        default = transformers.AutoImageProcessor.from_pretrained(folder)
        references = [Reference("Pillow", partial(_pixels, pillow))]
        if default.resample in TORCHVISION:
            references.append(Reference("torchvision", partial(_pixels, default), **TORCHVISION[default.resample]))
        return references

    def levels(self, folder: Path) -> Tensor:
        """What a difference of 1 in the processor's results is in the 8-bit scale, for each colour."""
        processor = package("transformers").AutoImageProcessor.from_pretrained(folder)
        std = torch.tensor(processor.image_std if processor.do_normalize else [1.0] * 3, dtype=torch.float64)
        return std / (processor.rescale_factor if processor.do_rescale else 1)


@dataclass(frozen=True)
class TimmProcessor:
    """timm's evaluation transform, for images of `side`; `settings` replace what the architecture has."""

    side: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        save_timm(folder, "swin_tiny_patch4_window7_224", self.settings, img_size=self.side,
                  **small("swin", self.side))

    def data(self, folder: Path) -> dict[str, Any]:
        pretrained = json.loads((folder / "config.json").read_text())["pretrained_cfg"]
        return package("timm").data.resolve_data_config({}, pretrained_cfg=pretrained)

    def references(self, folder: Path) -> list[Reference]:
        return [Reference("timm", package("timm").data.create_transform(**self.data(folder)))]

    def levels(self, folder: Path) -> Tensor:
        return 255 * torch.tensor(self.data(folder)["std"], dtype=torch.float64)


def _pixels(processor: Any, image: Image.Image) -> Tensor:
    return processor(image, return_tensors="pt")["pixel_values"][0].float()


def _square(side: int) -> dict[str, Any]:
    return {"size": {"height": side, "width": side}}


def _shortest(side: int, **settings: Any) -> dict[str, Any]:
    return {"size": {"shortest_edge": side}, **settings}


_CROP = {"do_center_crop": True, "crop_size": {"height": 224, "width": 224}}
_OWN = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

PROCESSORS: dict[str, TransformersProcessor | TimmProcessor] = {
    "vit-224-bilinear": TransformersProcessor("swin", 224, _square(224) | {"resample": 2}),
    "vit-224-bicubic-own-mean": TransformersProcessor("swin", 224, _square(224) | {"resample": 3} | _OWN),
    "vit-384-bicubic": TransformersProcessor("swin", 384, _square(384) | {"resample": 3}),
    "vit-224-nearest": TransformersProcessor("swin", 224, _square(224) | {"resample": 0}),
    "vit-224-box": TransformersProcessor("swin", 224, _square(224) | {"resample": 4}),
    "vit-no-normalize": TransformersProcessor("swin", 224, _square(224) | {"do_normalize": False}),
    "vit-no-rescale": TransformersProcessor("swin", 224, _square(224) | {
        "do_rescale": False, "image_mean": [120.0, 110.0, 100.0], "image_std": [60.0, 50.0, 40.0]}),
    "vit-other-factor": TransformersProcessor("swin", 224, _square(224) | {
        "rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3, "image_std": [1.0] * 3}),
    # An odd margin, whose half rounds otherwise in torchvision's crop: 27 / 2.
    "vit-shortest-edge-crop": TransformersProcessor("swin", 224, _shortest(251, resample=3, **_CROP)),
    "vit-square-crop": TransformersProcessor("swin", 224, _square(251) | {"resample": 2} | _CROP),
    # As files of the time before Transformers 4.26 say it.
    "vit-old-file": TransformersProcessor("swin", 224, file={
        "do_normalize": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", "resample": 3,
        "size": 224, **_IMAGENET}),
    "pvt-224": TransformersProcessor("pvt", 224),
    "pvt-224-bilinear-own-mean": TransformersProcessor("pvt", 224, {"resample": 2} | _OWN),
    "convnext-224": TransformersProcessor("cvt", 224, _shortest(224)),
    "convnext-224-crop-0.95": TransformersProcessor("cvt", 224, _shortest(224, resample=2, crop_pct=0.95) | _OWN),
    "convnext-224-lanczos": TransformersProcessor("cvt", 224, _shortest(224, resample=1)),
    "convnext-384": TransformersProcessor("cvt", 384, _shortest(384) | _IMAGENET),
    "convnext-old-file": TransformersProcessor("cvt", 224, file={
        "crop_pct": 0.875, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3, "size": 224, **_IMAGENET}),
    "timm-224": TimmProcessor(224),
    "timm-224-bilinear": TimmProcessor(224, {"interpolation": "bilinear", "crop_pct": 0.875}),
    "timm-224-hamming": TimmProcessor(224, {"interpolation": "hamming", "crop_pct": 0.95}),
    "timm-224-squash": TimmProcessor(224, {"crop_mode": "squash", "crop_pct": 0.95}),
    "timm-384-squash-own-mean": TimmProcessor(384, {
        "crop_mode": "squash", "crop_pct": 1.0, "interpolation": "bilinear", "mean": (0.5, 0.4, 0.3),
        "std": (0.5, 0.25, 0.3)}),
}
