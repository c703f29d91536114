"""The convolutional units: ConvBN, Fused-MBConv and MBConv. Maps are (B, C, H, W)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .configuration import ModelConfiguration


class QuickGELU(nn.Module):
    """x · sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


def activation(name: str) -> nn.Module:
    """`gelu` is the exact form, x · Φ(x)."""
    return {"gelu": nn.GELU, "quick_gelu": QuickGELU}[name]()


def layer_norm(dim: int, configuration: ModelConfiguration, eps: float = 1e-5) -> nn.LayerNorm:
    """With the configuration's epsilon, which holds for every norm of a model, or else its authors' for this one."""
    return nn.LayerNorm(dim, eps=configuration.layer_norm_eps or eps)


class ConvBN(nn.Module):
    """Convolution without bias (padding kernel // 2), batch normalisation, then GELU unless `act` is false."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-5)
        self.act = nn.GELU() if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class FusedMBConv(nn.Module):
    """Fused-MBConv: a dense 3×3 convolution that widens by `expansion`, then, if it widened, a 1×1 projection.

    The input is added at the end when the shape stays the same.
    """

    def __init__(self, cin: int, cout: int, stride: int, expansion: int) -> None:
        super().__init__()
        if expansion == 1:
            self.fused = ConvBN(cin, cout, kernel=3, stride=stride)
            self.project = nn.Identity()
        else:
            self.fused = ConvBN(cin, expansion * cin, kernel=3, stride=stride)
            self.project = ConvBN(expansion * cin, cout, kernel=1, act=False)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.fused(x))
        return x + y if self.residual else y


class MBConv(nn.Module):
    """MBConv: 1×1 expansion (kept when `expansion` is 1), 3×3 depthwise convolution, 1×1 projection.

    The input is added at the end when the shape stays the same.
    """

    def __init__(self, cin: int, cout: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = expansion * cin
        self.expand = ConvBN(cin, middle, kernel=1)
        self.dw = ConvBN(middle, middle, kernel=3, stride=stride, groups=middle)
        self.project = ConvBN(middle, cout, kernel=1, act=False)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.dw(self.expand(x)))
        return x + y if self.residual else y
