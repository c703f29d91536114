"""UPerNet on a backbone: a label for every pixel (arXiv 1807.10221). Tensor names are mmsegmentation's."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .configuration import ModelConfiguration
from .model import Backbone, CETNet


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) in another size."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class ConvModule(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, cin: int, cout: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class UPerNetHead(nn.Module):
    """From the normalised maps of four stages to logits of the first one's size."""

    def __init__(self, configuration: ModelConfiguration) -> None:
        super().__init__()
        dims, width, scales = configuration.dims, configuration.head.hidden_size, configuration.head.pool_scales
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale), ConvModule(dims[-1], width, 1)) for scale in scales)
        self.bottleneck = ConvModule(dims[-1] + len(scales) * width, width, 3)
        self.lateral_convs = nn.ModuleList(ConvModule(dim, width, 1) for dim in dims[:-1])
        self.fpn_convs = nn.ModuleList(ConvModule(width, width, 3) for _ in dims[:-1])
        self.fpn_bottleneck = ConvModule(len(dims) * width, width, 3)
        self.conv_seg = nn.Conv2d(width, configuration.num_labels, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        top = maps[-1]
        pooled = [resize(module(top), top.shape[2:]) for module in self.psp_modules]
        laterals = [convolution(x) for convolution, x in zip(self.lateral_convs, maps)]
        laterals.append(self.bottleneck(torch.cat([top] + pooled, dim=1)))
        for index in range(len(laterals) - 1, 0, -1):
            laterals[index - 1] = laterals[index - 1] + resize(laterals[index], laterals[index - 1].shape[2:])
        outputs = [convolution(x) for convolution, x in zip(self.fpn_convs, laterals)] + laterals[-1:]
        outputs = [outputs[0]] + [resize(x, outputs[0].shape[2:]) for x in outputs[1:]]
        return self.conv_seg(self.fpn_bottleneck(torch.cat(outputs, dim=1)))


class SegmentationModel(nn.Module):
    """A backbone with a UPerNet head, for any image of at least 32×32."""

    def __init__(self, configuration: ModelConfiguration) -> None:
        super().__init__()
        self.configuration = configuration
        self.backbone = Backbone(configuration)
        self.decode_head = UPerNetHead(configuration)

    def forward_with_features(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, labels, ⌈H/4⌉, ⌈W/4⌉), and the normalised map of every stage."""
        features, _ = self.backbone.maps(image)
        return self.decode_head(features), features

    def forward(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W), normalised → logits (B, labels, ⌈H/4⌉, ⌈W/4⌉)."""
        return self.forward_with_features(image)[0]


def label_map(logits: Tensor, through: tuple[int, int], to: tuple[int, int] | None = None) -> Tensor:
    """Labels (B, H, W) of quarter-size logits: resized to the input's size, then to the image's, then the first
    maximum."""
    logits = resize(logits, through)
    return (logits if to is None else resize(logits, to)).argmax(dim=1)


def build(configuration: ModelConfiguration) -> CETNet | SegmentationModel:
    """The model of a configuration."""
    return SegmentationModel(configuration) if configuration.is_dense else CETNet(configuration)
