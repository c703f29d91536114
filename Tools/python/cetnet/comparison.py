"""What the verifying scripts share: how far two results are apart, and how far they may be."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from .commands import CommandError
from .engine import EngineError

TOLERANCE = 1e-4
LEAST_SHARE = 0.999  # of pixels that must be the same


def environment(settings: list[str]) -> dict[str, str]:
    for setting in settings:
        if "=" not in setting:
            raise CommandError(f"--environment {setting}: write NAME=VALUE")
    return dict(setting.split("=", 1) for setting in settings)


def compare(found: Tensor, expected: Tensor, what: str) -> tuple[float, float]:
    """Largest difference, and the largest allowed. A NaN on either side gives a NaN, which no tolerance allows."""
    if found.shape != expected.shape:
        raise EngineError(f"{what} of shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    difference = (found.double() - expected.double()).abs().max().item()
    return difference, TOLERANCE * max(1.0, expected.abs().max().item())


class PixelDifference(NamedTuple):
    """Of two images: how many values are the same, of how many, and how far they are apart in the 8-bit scale."""

    same: int
    count: int
    largest: float
    mean: float

    @property
    def share(self) -> float:
        return self.same / self.count


def compare_pixels(found: Tensor, expected: Tensor, levels: Tensor) -> PixelDifference:
    """`levels` (3) is what a difference of 1 is in the 8-bit scale, for each colour."""
    if found.shape != expected.shape:
        raise EngineError(f"shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    difference = (found.double() - expected.double()).abs() * levels.double()[:, None, None]
    # Floating point arithmetic in another order moves a value by less than a thousandth of a level.
    return PixelDifference(int((difference <= 1e-3).sum()), difference.numel(), difference.max().item(),
                           difference.mean().item())
