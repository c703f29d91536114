"""The transformer blocks, on tokens (B, H, W, C)."""

from __future__ import annotations

from torch import Tensor, nn

from .attention import WindowAttention
from .configuration import ModelConfiguration
from .layers import activation


class MLP(nn.Module):
    """fc2(act(fc1(x)))."""

    def __init__(self, dim: int, ratio: int, act: str) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, ratio * dim)
        self.act = activation(act)
        self.fc2 = nn.Linear(ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class LEWinBlock(nn.Module):
    """Locally enhanced window block: a 3×3 depthwise convolution in front of a Swin block.

        x = local(x)                       (no residual around it)
        x = x + W-MSA(norm1(x))            (shifted in every second block)
        x = x + MLP(norm2(x))
    """

    def __init__(self, configuration: ModelConfiguration, stage: int, index: int) -> None:
        super().__init__()
        dim, window = configuration.dims[stage], configuration.window_size
        self.local = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-5)
        self.attn = WindowAttention(
            dim, configuration.num_heads[stage], window, shift=window // 2 if index % 2 == 1 else 0)
        self.norm2 = nn.LayerNorm(dim, eps=1e-5)
        self.mlp = MLP(dim, configuration.mlp_ratios[stage], configuration.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


BLOCKS: dict[str, type[nn.Module]] = {"lewin": LEWinBlock}
