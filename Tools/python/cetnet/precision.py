"""The precisions of the Swift engine, simulated in PyTorch; Documentation/Precision.md says what they are.

For models whose blocks are LEWin's or Swin's. Products are exact (in double precision) and rounded once, so results
differ from the engine's where a sum's rounding tips a later value from one number of the format to the next.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .attention import WindowAttention
from .blocks import SwinBlock
from .checkpoint import CheckpointError, load_weights
from .commands import CommandError
from .embeddings import PatchMerging
from .layers import ConvBN
from .model import CETNet

PRECISIONS = ("bfloat16", "int8")
LEAST = 2.0 ** -100  # below it a row counts as zero


def round_bfloat16(x: Tensor) -> Tensor:
    """To nearest, ties to even, in float32; denormals are zero."""
    rounded = x.to(torch.bfloat16).to(torch.float32)
    return torch.where(x.abs() < torch.finfo(torch.float32).tiny, torch.zeros_like(x), rounded)


def quantize(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Integers −127…127 in float32, and the scale of each row (rows, 1)."""
    largest = rows.abs().amax(dim=-1, keepdim=True)
    kept = largest >= LEAST
    one = torch.ones_like(largest)
    # Not `127 / …`, which PyTorch computes as 127 times a reciprocal, rounded twice.
    inverse = torch.where(kept, 127 * one / torch.where(kept, largest, one), 0 * one)
    return torch.round(rows * inverse), torch.where(kept, largest / 127, 0 * one)


class Take:
    """Hands out the tensors of one layer of a file, each once."""

    def __init__(self, tensors: dict[str, Tensor], layer: str, source: str) -> None:
        self.tensors, self.layer, self.source = tensors, layer, source

    def __call__(self, name: str, shape: torch.Size, dtype: torch.dtype = torch.float32) -> Tensor:
        name = f"{self.layer}.{name}"
        if name not in self.tensors:
            raise CheckpointError(f"{self.source} does not fit the model:\n  missing tensor {name}")
        found = self.tensors.pop(name)
        if found.shape != shape or found.dtype != dtype:
            raise CheckpointError(f"{self.source}: tensor {name}: expected {dtype} of shape {list(shape)}, found "
                                  f"{found.dtype} of shape {list(found.shape)}")
        return found.float()


class LowPrecisionLinear(nn.Module):
    """A linear layer, with what is folded into it: the affine part of the LayerNorm in front (which is done without it),
    and a factor for each output.

    Windows are padded behind the normalisation, with zeros, for which the layer gives its own bias.
    """

    def __init__(self, linear: nn.Linear, precision: str, norm: nn.LayerNorm | None = None,
                 scale: Tensor | None = None) -> None:
        super().__init__()
        bias = linear.bias.detach() if linear.bias is not None else torch.zeros(linear.out_features)
        weight = linear.weight
        self.precision, self.padded = precision, bias
        self.has_bias, self.is_folded = linear.bias is not None, norm is not None or scale is not None
        self.scale = scale if scale is not None else torch.ones(linear.out_features)
        if norm is not None:
            bias = (bias.double() + weight.double() @ norm.bias.double()).float()
            norm.elementwise_affine = False
        weight = weight * self.scale[:, None]
        if norm is not None:
            weight = weight * norm.weight
            norm.weight = norm.bias = None
        self.bias = bias
        self.integers, self.scales = quantize(weight) if precision == "int8" else (round_bfloat16(weight), None)

    def forward(self, x: Tensor) -> Tensor:
        if self.precision == "int8":
            rows, scales = quantize(x)
            sums = (rows.double() @ self.integers.double().T).float()
            y = sums * scales * self.scales[:, 0] / self.scale
        else:
            y = (round_bfloat16(x).double() @ self.integers.double().T).float() / self.scale
        is_padding = (x == 0).all(dim=-1, keepdim=True)
        return y + torch.where(is_padding, self.padded, self.bias)

    def load(self, take: Take) -> None:
        """Takes its tensors of a quantised file, in which outputs are scaled."""
        is_int8 = self.precision == "int8"
        self.integers = take("weight", self.integers.shape, torch.int8 if is_int8 else torch.bfloat16)
        if is_int8:
            self.scales = take("weight_scale", self.scale.shape)[:, None]
        if self.has_bias:
            self.padded = self.bias = take("bias", self.scale.shape)
        if self.is_folded:
            self.bias = take("folded_bias", self.scale.shape) / self.scale


class LowPrecisionConvolution(nn.Module):
    """A dense convolution in bfloat16, with the BatchNorm behind it folded into its weights."""

    def __init__(self, convolution: nn.Conv2d, norm: nn.BatchNorm2d | None = None) -> None:
        super().__init__()
        weight = convolution.weight
        bias = convolution.bias.detach() if convolution.bias is not None else torch.zeros(convolution.out_channels)
        if norm is not None:
            factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            bias = ((bias.double() - norm.running_mean.double()) * factor + norm.bias.double()).float()
            weight = weight * factor.float()[:, None, None, None]
        self.weight, self.bias = round_bfloat16(weight), bias
        self.stride, self.padding = convolution.stride, convolution.padding
        self.has_bias, self.is_folded = convolution.bias is not None, norm is not None

    def load(self, take: Take) -> None:
        """Takes its tensors of a quantised file."""
        self.weight = take("weight", self.weight.shape, torch.bfloat16)
        if self.has_bias:
            self.bias = take("bias", self.bias.shape)
        if self.is_folded:
            self.bias = take("folded_bias", self.bias.shape)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.conv2d(round_bfloat16(x).double(), self.weight.double(), None, self.stride, self.padding)
        return y.float() + self.bias[:, None, None]


@torch.no_grad()
def simulate(model: CETNet, precision: str) -> CETNet:
    """A copy of the model that computes as the engine does in `precision`."""
    if precision not in PRECISIONS:
        raise CommandError(f"there is no precision '{precision}' to simulate; there are {', '.join(PRECISIONS)}")
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for name, module in list(model.named_modules()):
        if isinstance(module, SwinBlock):
            attention = module.attn
            assert isinstance(attention, WindowAttention)
            scale = torch.ones(3 * attention.dim)
            scale[:attention.dim] = (attention.dim // attention.heads) ** -0.5
            attention.qkv = LowPrecisionLinear(attention.qkv, precision, module.norm1, scale)
            module.mlp.fc1 = LowPrecisionLinear(module.mlp.fc1, precision, module.norm2)
        elif isinstance(module, PatchMerging):
            module.reduction = LowPrecisionLinear(module.reduction, precision, module.norm)
        elif isinstance(module, ConvBN) and module.conv.groups == 1 and not _is_first(module.conv):
            module.conv, module.bn = LowPrecisionConvolution(module.conv, module.bn), nn.Identity()
        elif name.endswith("attn") and not isinstance(module, WindowAttention):
            raise CommandError(f"{name}: only LEWin and Swin blocks are simulated")
    for parent in list(model.modules()):
        for name, module in list(parent.named_children()):
            if isinstance(module, nn.Linear):
                setattr(parent, name, LowPrecisionLinear(module, precision))
            elif isinstance(module, nn.Conv2d) and module.groups == 1 and not _is_first(module):
                setattr(parent, name, LowPrecisionConvolution(module))
    return model


def load_quantized(model: CETNet, tensors: Mapping[str, Tensor], source: str) -> CETNet:
    """A model as `simulate` makes it, with the tensors of a file that `cetnet quantize` wrote."""
    model, rest = simulate(model, model.configuration.precision), dict(tensors)
    for name, module in model.named_modules():
        if isinstance(module, (LowPrecisionLinear, LowPrecisionConvolution)):
            module.load(Take(rest, name, source))
    load_weights(model, rest, source)
    return model


def same_weights(a: CETNet, b: CETNet) -> bool:
    """Whether two models of `simulate` multiply with the same numbers, and their biases differ by rounding at most."""
    pairs = [(x, y) for x, y in zip(a.modules(), b.modules())
             if isinstance(x, (LowPrecisionLinear, LowPrecisionConvolution))]
    return bool(pairs) and all(
        torch.allclose(x.bias, y.bias, rtol=1e-5, atol=1e-6) and (
            torch.equal(x.weight, y.weight) if isinstance(x, LowPrecisionConvolution)
            else torch.equal(x.integers, y.integers) and torch.allclose(x.padded, y.padded, rtol=1e-6)
            and (x.scales is None or torch.equal(x.scales, y.scales)))
        for x, y in pairs)


def _is_first(convolution: nn.Conv2d) -> bool:
    """The 3×3 convolution of the image, which stays float32."""
    return convolution.in_channels == 3 and convolution.kernel_size == (3, 3)
