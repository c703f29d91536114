"""The transformer blocks.

Those with windows work on maps of tokens (B, H, W, C); those with global attention on sequences (B, T, C) of a map's
H·W tokens, after a class token if there is one, and its size (H, W).
"""

from __future__ import annotations

from torch import Tensor, nn

from .attention import WindowAttention
from .configuration import ModelConfiguration
from .global_attention import ConvolutionalAttention, SpatialReductionAttention
from .layers import activation, layer_norm
from .stripe_attention import StripeAttention


class MLP(nn.Module):
    """fc2(act(fc1(x)))."""

    def __init__(self, dim: int, ratio: int, act: str) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, ratio * dim)
        self.act = activation(act)
        self.fc2 = nn.Linear(ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """What all blocks share.

        x = local(x)               (LEWin only)
        x = x + attn(norm1(x))
        x = x + mlp(norm2(x))
    """

    is_global = False
    norm_eps = 1e-5  # of the network's last norm too, unless the configuration says otherwise

    def __init__(self, configuration: ModelConfiguration, stage: int, index: int) -> None:
        super().__init__()
        dim = configuration.dims[stage]
        self.local: nn.Module = nn.Identity()
        self.norm1 = layer_norm(dim, configuration, self.norm_eps)
        self.attn = self.attention(configuration, stage, index)
        self.norm2 = layer_norm(dim, configuration, self.norm_eps)
        self.mlp = MLP(dim, configuration.mlp_ratios[stage], configuration.hidden_act)

    def attention(self, configuration: ModelConfiguration, stage: int, index: int) -> nn.Module:
        raise NotImplementedError

    def forward(self, x: Tensor, *size: tuple[int, int]) -> Tensor:
        x = x + self.attn(self.norm1(x), *size)
        return x + self.mlp(self.norm2(x))


class SwinBlock(Block):
    """Attention in windows, shifted in every second block (arXiv 2103.14030)."""

    def attention(self, configuration: ModelConfiguration, stage: int, index: int) -> nn.Module:
        window = configuration.window_size
        return WindowAttention(configuration.dims[stage], configuration.num_heads[stage], window,
                               shift=window // 2 if index % 2 == 1 else 0,
                               always_shifts=configuration.always_shifts, counts_padding=configuration.is_dense)


class LEWinBlock(SwinBlock):
    """Locally enhanced window block: a 3×3 depthwise convolution in front of a Swin block, no residual around it."""

    def __init__(self, configuration: ModelConfiguration, stage: int, index: int) -> None:
        super().__init__(configuration, stage, index)
        dim = configuration.dims[stage]
        self.local = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.local(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


class PVTBlock(Block):
    """Attention over spatially reduced keys, a fixed reduction per stage (arXiv 2102.12122)."""

    is_global = True
    norm_eps = 1e-6
    reductions = (8, 4, 2, 1)

    def attention(self, configuration: ModelConfiguration, stage: int, index: int) -> nn.Module:
        return SpatialReductionAttention(configuration.dims[stage], configuration.num_heads[stage],
                                         self.reductions[stage], configuration.layer_norm_eps or 1e-5)


class CvTBlock(Block):
    """Attention with convolutional projections (arXiv 2103.15808)."""

    is_global = True

    def attention(self, configuration: ModelConfiguration, stage: int, index: int) -> nn.Module:
        return ConvolutionalAttention(configuration.dims[stage], configuration.num_heads[stage])


class CSWinBlock(Block):
    """Attention in cross-shaped windows, a fixed width per stage; the last stage attends to the whole map."""

    stripes = (1, 2, 7, None)

    def attention(self, configuration: ModelConfiguration, stage: int, index: int) -> nn.Module:
        return StripeAttention(configuration.dims[stage], configuration.num_heads[stage], self.stripes[stage])


BLOCKS: dict[str, type[Block]] = {
    "lewin": LEWinBlock, "swin": SwinBlock, "pvt": PVTBlock, "cvt": CvTBlock, "cswin": CSWinBlock}
