"""Attention in cross-shaped windows (CSWin Transformer, arXiv 2107.00652)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def split(x: Tensor, height: int, width: int) -> Tensor:
    """(B, H, W, C), H and W multiples → (B · stripes, height, width, C)."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // height, height, w // width, width, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, c)


def join(x: Tensor, h: int, w: int) -> Tensor:
    """The inverse of `split`: (B · stripes, height, width, C) → (B, h, w, C)."""
    _, height, width, c = x.shape
    x = x.reshape(-1, h // height, w // width, height, width, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, h, w, c)


class StripeAttention(nn.Module):
    """Half of the heads attend in vertical stripes H×`stripe`, the other half in horizontal ones `stripe`×W.

    With `stripe` None there is one branch, over the whole map. Each branch adds LePE to its result: a 3×3 depthwise
    convolution of the values inside a stripe, with zeros around the stripe. Tokens are (B, H, W, C). A map that is no
    multiple of the stripe is padded with zeros, right for vertical stripes and at the bottom for horizontal ones,
    before the projection, so the padded tokens, which are keys like all others, hold the projection's bias.
    """

    def __init__(self, dim: int, heads: int, stripe: int | None) -> None:
        super().__init__()
        self.dim, self.heads, self.stripe = dim, heads, stripe
        branches = 1 if stripe is None else 2
        self.qkv = nn.Linear(dim, 3 * dim)
        part = dim // branches
        self.lepe = nn.ModuleList(nn.Conv2d(part, part, 3, padding=1, groups=part) for _ in range(branches))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[1:3]
        if self.stripe is None:
            return self.proj(self.branch(self.qkv(x), 0, (h, w)))
        x = F.pad(x, (0, 0, 0, -w % self.stripe, 0, -h % self.stripe))
        qkv = self.qkv(x)
        vertical = self.branch(qkv[:, :h], 0, (h, self.stripe))[:, :, :w]
        horizontal = self.branch(qkv[:, :, :w], 1, (self.stripe, w))[:, :h]
        return self.proj(torch.cat([vertical, horizontal], dim=-1))

    def branch(self, qkv: Tensor, index: int, stripe: tuple[int, int]) -> Tensor:
        """(B, H, W, 3C) → (B, H, W, C / branches); `stripe` is (height, width)."""
        b, h, w, _ = qkv.shape
        branches = len(self.lepe)
        heads, c = self.heads // branches, self.dim // branches
        # The branch's channels of q, of k and of v.
        qkv = qkv.reshape(b, h, w, 3, branches, c)[..., index, :]
        q, k, v = (split(qkv[:, :, :, part], *stripe) for part in range(3))  # (B · stripes, height, width, c)
        local = self.lepe[index](v.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        q, k, v = (x.flatten(1, 2).unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        scores = (q * (c // heads) ** -0.5) @ k.transpose(-2, -1)  # (B · stripes, heads, N, N)
        x = (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2).unflatten(1, stripe)
        return join(x + local, h, w)

    def multiply_adds(self, x: Tensor) -> int:
        """H·W tokens with a stripe of keys each, so what padding adds is not counted."""
        b, h, w, c = x.shape
        keys = [h * w] if self.stripe is None else [h * self.stripe, w * self.stripe]
        products = sum(2 * count * c // len(keys) for count in keys)
        return b * h * w * (3 * c * c + products + 9 * c + c * c)
