"""The stem and the embeddings that open each stage: maps (B, C, H, W) in, tokens (B, H, W, C) out."""

from __future__ import annotations

from torch import Tensor, nn

from .configuration import ModelConfiguration
from .layers import FusedMBConv, MBConv


def stem_layers(configuration: ModelConfiguration) -> int:
    """How many of the first embedding's layers stand before the stages: half, the 1×1 projection not counted."""
    if configuration.embeddings[0] != "ce":
        return 0
    return (configuration.ce_layers - 1) // 2


def stem(configuration: ModelConfiguration) -> nn.Sequential:
    """Fused-MBConv, expansion 1: the first 3 → c0 with stride 2, the others c0 → c0."""
    c0 = configuration.stem_channels[0]
    return nn.Sequential(*(
        FusedMBConv(3 if index == 0 else c0, c0, stride=2 if index == 0 else 1, expansion=1)
        for index in range(stem_layers(configuration))))


class ConvolutionalEmbedding(nn.Module):
    """The paper's convolutional embedding (CE) of one stage, followed by LayerNorm.

    - One layer: a single strided convolution with bias (7×7 stride 4 in stage 0, 3×3 stride 2 later).
    - Stage 0: Fused-MBConv with expansion 2 on c1 channels, the first with stride 2, then a 1×1 convolution to `dim`.
    - Later stages: `ce_layers` MBConv, the first with stride 2 and expansion 2, the others with expansion 1.
    """

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        dim = configuration.dims[stage]
        previous = configuration.dims[stage - 1] if stage > 0 else 3
        c0, c1 = configuration.stem_channels
        self.layers = nn.Sequential()
        self.proj: nn.Module = nn.Identity()
        if configuration.ce_layers == 1:
            self.proj = nn.Conv2d(previous, dim, 7, stride=4, padding=3) if stage == 0 else nn.Conv2d(
                previous, dim, 3, stride=2, padding=1)
        elif stage == 0:
            for index in range(stem_layers(configuration)):
                first = index == 0
                self.layers.append(FusedMBConv(c0 if first else c1, c1, stride=2 if first else 1, expansion=2))
            self.proj = nn.Conv2d(c1, dim, 1)
        else:
            for index in range(configuration.ce_layers):
                first = index == 0
                self.layers.append(MBConv(
                    previous if first else dim, dim, stride=2 if first else 1, expansion=2 if first else 1))
        self.norm = nn.LayerNorm(dim, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(self.layers(x))  # (B, dim, H', W'): every stride-2 layer gives ceil(H / 2)
        return self.norm(x.permute(0, 2, 3, 1))


EMBEDDINGS: dict[str, type[nn.Module]] = {"ce": ConvolutionalEmbedding}
