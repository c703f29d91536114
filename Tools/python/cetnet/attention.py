"""Multi-head self-attention inside shifted windows (Swin Transformer, arXiv 2103.14030, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MASKED = -100.0


def relative_position_index(window: int) -> Tensor:
    """(N, N) with N = window²: the row of the bias table for each pair (query, key), Δ = query − key.

    (Δrow + window − 1) · (2·window − 1) + (Δcolumn + window − 1)
    """
    rows, columns = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    delta_row = rows[:, None] - rows[None, :] + window - 1
    delta_column = columns[:, None] - columns[None, :] + window - 1
    return delta_row * (2 * window - 1) + delta_column


def axis_regions(size: int, window: int, shift: int) -> Tensor:
    """(size): which region of the unrolled map each row (or column) of the rolled map comes from.

    A shifted axis has the regions [0, size − window), [size − window, size − shift), [size − shift, size);
    an unshifted axis has one.
    """
    regions = torch.zeros(size, dtype=torch.int64)
    if shift:
        regions[size - window:size - shift] = 1
        regions[size - shift:] = 2
    return regions


def partition(x: Tensor, window: int) -> Tensor:
    """(B, H, W, C), H and W multiples of `window` → (B, windows, window², C)."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // window, window, w // window, window, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(b, (h // window) * (w // window), window * window, c)


def unpartition(x: Tensor, window: int, h: int, w: int) -> Tensor:
    """The inverse of `partition`: (B, windows, window², C) → (B, h, w, C)."""
    b, _, _, c = x.shape
    x = x.reshape(b, h // window, w // window, window, window, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)


def shift_mask(h: int, w: int, window: int, shift_h: int, shift_w: int) -> Tensor:
    """(windows, window², window²): −100 between tokens of different regions of the rolled map, else 0."""
    rows = axis_regions(h, window, shift_h)
    columns = axis_regions(w, window, shift_w)
    regions = rows[:, None] * 3 + columns[None, :]
    regions = partition(regions[None, :, :, None], window)[0, :, :, 0]  # (windows, window²)
    different = regions[:, :, None] != regions[:, None, :]
    return different * MASKED


class WindowAttention(nn.Module):
    """W-MSA (shift 0) or SW-MSA on tokens (B, H, W, C) of any H and W.

    The map is padded with zeros right and bottom to whole windows before the projection, so the padded tokens, which
    are keys like all others, hold the projection's bias. An axis whose padded size is no larger than the window is
    not shifted, unless it `always_shifts`; in a dense model what padding adds is counted.
    """

    def __init__(self, dim: int, heads: int, window: int, shift: int, always_shifts: bool = False,
                 counts_padding: bool = False) -> None:
        super().__init__()
        self.dim, self.heads, self.window, self.shift = dim, heads, window, shift
        self.always_shifts, self.counts_padding = always_shifts, counts_padding
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_position_index(window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        window = self.window
        x = F.pad(x, (0, 0, 0, -w % window, 0, -h % window))
        padded_h, padded_w = x.shape[1], x.shape[2]
        shift_h = self.shift if padded_h > window or self.always_shifts else 0
        shift_w = self.shift if padded_w > window or self.always_shifts else 0

        x = torch.roll(x, (-shift_h, -shift_w), dims=(1, 2))
        x = partition(x, window)  # (B, windows, N, C)
        windows, n = x.shape[1], x.shape[2]
        qkv = self.qkv(x).reshape(b, windows, n, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # each (B, windows, heads, N, head dimension)

        scores = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)  # (B, windows, heads, N, N)
        bias = self.relative_position_bias_table[self.relative_position_index]  # (N, N, heads)
        scores = scores + bias.permute(2, 0, 1)
        if shift_h or shift_w:
            mask = shift_mask(padded_h, padded_w, window, shift_h, shift_w).to(scores)
            scores = scores + mask[:, None]
        x = scores.softmax(dim=-1) @ v  # (B, windows, heads, N, head dimension)

        x = self.proj(x.transpose(2, 3).reshape(b, windows, n, c))
        x = torch.roll(unpartition(x, window, padded_h, padded_w), (shift_h, shift_w), dims=(1, 2))
        return x[:, :h, :w]

    def multiply_adds(self, x: Tensor) -> int:
        """For the whole module; H·W tokens with window² keys each: what padding adds counts in dense models only."""
        b, h, w, c = x.shape
        if self.counts_padding:
            h, w = h + -h % self.window, w + -w % self.window
        return b * h * w * (3 * c * c + 2 * self.window ** 2 * c + c * c)
