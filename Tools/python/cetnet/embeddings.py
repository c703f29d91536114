"""The stem and the embeddings that open each stage: maps (B, C, H, W) in, tokens (B, H, W, C) out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .configuration import ModelConfiguration
from .layers import FusedMBConv, MBConv, layer_norm
from .units import UNITS


def stem_layers(configuration: ModelConfiguration) -> int:
    """How many of the first embedding's layers stand before the stages: half, the 1×1 projection not counted."""
    if configuration.embeddings[0] != "ce":
        return 0
    return (configuration.ce_layers - 1) // 2


def early_unit(configuration: ModelConfiguration) -> type[FusedMBConv] | type[MBConv]:
    """What the stem, but for its first layer, and stage 0 are made of."""
    return MBConv if configuration.ce_unit == "pure-mb" else FusedMBConv


def stem(configuration: ModelConfiguration) -> nn.Sequential:
    """Fused-MBConv, expansion 1: the first 3 → c0 with stride 2, the others c0 → c0."""
    c0 = configuration.stem_channels[0]
    unit = early_unit(configuration)
    return nn.Sequential(*(
        FusedMBConv(3, c0, stride=2, expansion=1) if index == 0 else unit(c0, c0, stride=1, expansion=1)
        for index in range(stem_layers(configuration))))


def previous_dim(configuration: ModelConfiguration, stage: int) -> int:
    """Channels of the map that a stage without stem reads."""
    return configuration.dims[stage - 1] if stage > 0 else 3


class ConvolutionalEmbedding(nn.Module):
    """The paper's convolutional embedding (CE) of one stage, followed by LayerNorm.

    - One layer: a single strided convolution with bias (7×7 stride 4 in stage 0, 3×3 stride 2 later).
    - Stage 0: Fused-MBConv with expansion 2 on c1 channels, the first with stride 2, then a 1×1 convolution to `dim`.
    - Later stages: `ce_layers` units, the first with stride 2.
    """

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        dim, previous = configuration.dims[stage], previous_dim(configuration, stage)
        c0, c1 = configuration.stem_channels
        self.layers = nn.Sequential()
        self.proj: nn.Module = nn.Identity()
        if configuration.ce_layers == 1:
            self.proj = nn.Conv2d(previous, dim, 7, stride=4, padding=3) if stage == 0 else nn.Conv2d(
                previous, dim, 3, stride=2, padding=1)
        elif stage == 0:
            unit = early_unit(configuration)
            for index in range(stem_layers(configuration)):
                first = index == 0
                self.layers.append(unit(c0 if first else c1, c1, stride=2 if first else 1, expansion=2))
            self.proj = nn.Conv2d(c1, dim, 1)
        else:
            for index in range(configuration.ce_layers):
                self.layers.append(UNITS[configuration.ce_unit](index, previous, dim))
        self.norm = layer_norm(dim, configuration)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(self.layers(x))  # (B, dim, H', W'): every stride-2 layer gives ceil(H / 2)
        return self.norm(x.permute(0, 2, 3, 1))


class PatchEmbedding(nn.Module):
    """Swin's and PVT's: one convolution whose stride is its kernel, 4×4 in stage 0 and 2×2 later, then LayerNorm.

    In a dense model the image is padded with zeros right and bottom to whole patches.
    """

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        dim, patch = configuration.dims[stage], 4 if stage == 0 else 2
        self.proj = nn.Conv2d(previous_dim(configuration, stage), dim, patch, stride=patch)
        self.norm = layer_norm(dim, configuration)
        self.pads = stage == 0 and configuration.is_dense

    def forward(self, x: Tensor) -> Tensor:
        if self.pads:
            x = F.pad(x, (0, -x.shape[3] % 4, 0, -x.shape[2] % 4))
        return self.norm(self.proj(x).permute(0, 2, 3, 1))  # floor(H / 4) or floor(H / 2)


class OverlappingEmbedding(nn.Module):
    """CvT's and CSWin's: one overlapping convolution, 7×7 stride 4 in stage 0, 3×3 stride 2 later; LayerNorm."""

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        dim, previous = configuration.dims[stage], previous_dim(configuration, stage)
        self.proj = nn.Conv2d(previous, dim, 7, stride=4, padding=2) if stage == 0 else nn.Conv2d(
            previous, dim, 3, stride=2, padding=1)
        self.norm = layer_norm(dim, configuration)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.proj(x).permute(0, 2, 3, 1))  # floor((H + 1) / 4) or ceil(H / 2)


class PatchMerging(nn.Module):
    """Swin's: the four neighbours side by side (4 · previous channels), LayerNorm, then a linear layer without bias.

    Odd sizes are padded with zeros right and bottom.
    """

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        previous = previous_dim(configuration, stage)
        self.norm = layer_norm(4 * previous, configuration)
        self.reduction = nn.Linear(4 * previous, configuration.dims[stage], bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        neighbours = [x[:, row::2, column::2] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return self.reduction(self.norm(torch.cat(neighbours, dim=-1)))


EMBEDDINGS: dict[str, type[nn.Module]] = {
    "ce": ConvolutionalEmbedding, "conv": OverlappingEmbedding, "patch": PatchEmbedding, "merge": PatchMerging}
