"""Attention of every token to all others, with fewer keys: PVT's and CvT's. Tokens are (B, T, C).

T is H·W, or one more with a class token, which comes first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import ConvBN


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, scale: float) -> Tensor:
    """softmax(scale · q kᵀ) v in each head: (B, T, C), (B, keys, C), (B, keys, C) → (B, T, C)."""
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))  # (B, heads, T, head dimension)
    scores = (q * scale) @ k.transpose(-2, -1)
    return (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)


class SpatialReductionAttention(nn.Module):
    """PVT (arXiv 2102.12122, section 3.3): keys and values from a map that a strided convolution made smaller.

    H×W → ⌊H / r⌋×⌊W / r⌋; with r = 1 there is no convolution, and a class token is a key like all others.
    """

    def __init__(self, dim: int, heads: int, reduction: int, norm_eps: float = 1e-5) -> None:
        super().__init__()
        self.dim, self.heads, self.reduction = dim, heads, reduction
        self.q = nn.Linear(dim, dim)
        self.kv = nn.Linear(dim, 2 * dim)
        if reduction > 1:
            self.sr = nn.Conv2d(dim, dim, reduction, stride=reduction)
            self.norm = nn.LayerNorm(dim, eps=norm_eps)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        q, source = self.q(x), x
        if self.reduction > 1:
            source = self.sr(x.transpose(1, 2).unflatten(2, size)).flatten(2).transpose(1, 2)
            source = self.norm(source)
        k, v = self.kv(source).chunk(2, dim=2)
        return self.proj(attend(q, k, v, self.heads, (self.dim // self.heads) ** -0.5))

    def multiply_adds(self, x: Tensor, size: tuple[int, int]) -> int:
        b, tokens, c = x.shape
        keys, reduction = tokens, 0
        if self.reduction > 1:
            keys = (size[0] // self.reduction) * (size[1] // self.reduction)
            reduction = keys * self.reduction ** 2 * c * c
        return b * (tokens * c * c + reduction + 2 * keys * c * c + 2 * tokens * keys * c + tokens * c * c)


class ConvolutionalAttention(nn.Module):
    """CvT (arXiv 2103.15808, section 3.2): queries, keys and values pass a depthwise convolution before projection.

    Those of keys and values have stride 2. A class token passes the linear projections only. Scores are scaled by the
    square root of the whole dimension, not of a head's.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.dim, self.heads = dim, heads
        self.conv_proj_q = ConvBN(dim, dim, kernel=3, stride=1, groups=dim, act=False)
        self.conv_proj_k = ConvBN(dim, dim, kernel=3, stride=2, groups=dim, act=False)
        self.conv_proj_v = ConvBN(dim, dim, kernel=3, stride=2, groups=dim, act=False)
        self.proj_q = nn.Linear(dim, dim)
        self.proj_k = nn.Linear(dim, dim)
        self.proj_v = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        class_tokens = x.shape[1] - size[0] * size[1]  # 0 or 1
        token, x = x[:, :class_tokens], x[:, class_tokens:]
        image = x.transpose(1, 2).unflatten(2, size)  # (B, C, H, W)
        q, k, v = (
            linear(torch.cat([token, convolution(image).flatten(2).transpose(1, 2)], dim=1))
            for convolution, linear in ((self.conv_proj_q, self.proj_q), (self.conv_proj_k, self.proj_k),
                                        (self.conv_proj_v, self.proj_v)))
        return self.proj(attend(q, k, v, self.heads, self.dim ** -0.5))

    def multiply_adds(self, x: Tensor, size: tuple[int, int]) -> int:
        b, tokens, c = x.shape
        positions = size[0] * size[1]
        reduced = -(-size[0] // 2) * -(-size[1] // 2)
        keys = reduced + tokens - positions
        convolutions = 9 * c * (positions + 2 * reduced)
        return b * (convolutions + tokens * c * c + 2 * keys * c * c + 2 * tokens * keys * c + tokens * c * c)
