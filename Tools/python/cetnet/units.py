"""The units that convolutional embeddings can be made of, beside MBConv. Maps are (B, C, H, W).

Each was designed elsewhere and is fitted here to the cost of five MBConv: ResNet (arXiv 1512.03385), squeeze and
excitation (1709.01507), DenseNet (1608.06993), ShuffleNet V2 (1807.11164), GhostNet (1911.11907).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import ConvBN, FusedMBConv, MBConv


def bottleneck_width(cout: int) -> int:
    """0.375 · cout, rounded to the nearest multiple of 8 (ties up), at least 8."""
    return max(8, (3 * cout + 32) // 64 * 8)


class SqueezeExcitation(nn.Module):
    """Every channel times a factor that depends on the means of all: sigmoid(fc2(ReLU(fc1(means))))."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, dim // 16)
        self.fc2 = nn.Linear(dim // 16, dim)

    def forward(self, x: Tensor) -> Tensor:
        factors = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3))))))  # (B, C)
        return x * factors[:, :, None, None]


class ResNetUnit(nn.Module):
    """Bottleneck: 1×1, 3×3, 1×1 convolutions, optionally squeeze and excitation, plus a shortcut, then GELU.

    The shortcut is a strided 1×1 convolution where the shape changes.
    """

    def __init__(self, cin: int, cout: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        middle = bottleneck_width(cout)
        self.reduce = ConvBN(cin, middle, kernel=1)
        self.conv = ConvBN(middle, middle, kernel=3, stride=stride)
        self.expand = ConvBN(middle, cout, kernel=1, act=False)
        self.se: nn.Module = SqueezeExcitation(cout) if squeeze else nn.Identity()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or cin != cout:
            self.shortcut = ConvBN(cin, cout, kernel=1, stride=stride, act=False)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.se(self.expand(self.conv(self.reduce(x))))
        return self.act(y + self.shortcut(x))


class DenseLayer(nn.Module):
    """Appends `growth` channels to its input, computed by a 1×1 convolution to `middle` channels and a 3×3 one."""

    def __init__(self, cin: int, middle: int, growth: int) -> None:
        super().__init__()
        self.reduce = ConvBN(cin, middle, kernel=1)
        self.grow = ConvBN(middle, growth, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.grow(self.reduce(x))], dim=1)


def interleave(left: Tensor, right: Tensor) -> Tensor:
    """Channels l0, r0, l1, r1, …: the channel shuffle of two groups."""
    return torch.stack([left, right], dim=2).flatten(1, 2)


class ShuffleUnit(nn.Module):
    """ShuffleNet V2's unit of stride 1: half of the channels pass, the other half is computed; then both interleave."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        half = dim // 2
        self.expand = ConvBN(half, 4 * half, kernel=1)
        self.dw = ConvBN(4 * half, 4 * half, kernel=3, groups=4 * half, act=False)
        self.project = ConvBN(4 * half, half, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        return interleave(left, self.project(self.dw(self.expand(right))))


class ShuffleDownUnit(nn.Module):
    """ShuffleNet V2's unit of stride 2: both branches read the whole input and give half of the output."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.expand = ConvBN(cin, cout, kernel=1)
        self.dw = ConvBN(cout, cout, kernel=3, stride=2, groups=cout, act=False)
        self.project = ConvBN(cout, cout // 2, kernel=1)
        self.left_dw = ConvBN(cin, cin, kernel=3, stride=2, groups=cin, act=False)
        self.left_project = ConvBN(cin, cout // 2, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        return interleave(self.left_project(self.left_dw(x)), self.project(self.dw(self.expand(x))))


class Ghost(nn.Module):
    """Half of the output by a 1×1 convolution, the other half from it by a cheap 3×3 depthwise one."""

    def __init__(self, cin: int, cout: int, act: bool) -> None:
        super().__init__()
        half = cout // 2
        self.primary = ConvBN(cin, half, kernel=1, act=act)
        self.cheap = ConvBN(half, half, kernel=3, groups=half, act=act)

    def forward(self, x: Tensor) -> Tensor:
        primary = self.primary(x)
        return torch.cat([primary, self.cheap(primary)], dim=1)


class GhostShortcut(nn.Module):
    """The shortcut of a ghost unit of stride 2: strided depthwise, then 1×1 convolution."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.dw = ConvBN(cin, cin, kernel=3, stride=2, groups=cin, act=False)
        self.project = ConvBN(cin, cout, kernel=1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.dw(x))


class GhostUnit(nn.Module):
    """Ghost bottleneck: twice as wide inside; with stride 2 a depthwise convolution there. Plus a shortcut."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        middle = 2 * cin
        self.ghost1 = Ghost(cin, middle, act=True)
        self.dw: nn.Module = nn.Identity()
        self.shortcut: nn.Module = nn.Identity()
        if stride == 2:
            self.dw = ConvBN(middle, middle, kernel=3, stride=2, groups=middle, act=False)
            self.shortcut = GhostShortcut(cin, cout)
        self.ghost2 = Ghost(middle, cout, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.ghost2(self.dw(self.ghost1(x))) + self.shortcut(x)


def _mbconv(index: int, previous: int, dim: int) -> nn.Module:
    return MBConv(previous, dim, stride=2, expansion=2) if index == 0 else MBConv(dim, dim, stride=1, expansion=1)


def _resnet(index: int, previous: int, dim: int) -> nn.Module:
    return ResNetUnit(previous if index == 0 else dim, dim, stride=2 if index == 0 else 1, squeeze=False)


def _se_resnet(index: int, previous: int, dim: int) -> nn.Module:
    return ResNetUnit(previous if index == 0 else dim, dim, stride=2 if index == 0 else 1, squeeze=True)


def _dense(index: int, previous: int, dim: int) -> nn.Module:
    """Half of the channels, then four times an eighth."""
    if index == 0:
        return FusedMBConv(previous, dim // 2, stride=2, expansion=1)
    return DenseLayer(dim // 2 + (index - 1) * (dim // 8), middle=dim, growth=dim // 8)


def _shuffle(index: int, previous: int, dim: int) -> nn.Module:
    return ShuffleDownUnit(previous, dim) if index == 0 else ShuffleUnit(dim)


def _ghost(index: int, previous: int, dim: int) -> nn.Module:
    return GhostUnit(previous if index == 0 else dim, dim, stride=2 if index == 0 else 1)


# The layer `index` of a convolutional embedding of stages 1 to 3, from `previous` to `dim` channels.
# The first has stride 2.
UNITS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "mbconv": _mbconv, "pure-mb": _mbconv, "resnet": _resnet, "se-resnet": _se_resnet, "dense": _dense,
    "shuffle": _shuffle, "ghost": _ghost,
}
