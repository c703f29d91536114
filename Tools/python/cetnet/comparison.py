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


def compare_labels(found: Tensor, logits: Tensor, least: float, near: float = TOLERANCE) -> tuple[str, str | None]:
    """A line about labels (B, H, W) beside the first maxima of logits (B, labels, H, W), and what is wrong: less than the
    `least` share is the same, or a pixel has another label whose logit is not `near` · max(1, largest) the largest."""
    expected = logits.argmax(dim=1)
    if found.shape != expected.shape:
        raise EngineError(f"labels of shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    largest = logits.amax(dim=1)
    gap = (largest - logits.gather(1, found[:, None])[:, 0]).max().item()
    same, limit = (found == expected).sum().item(), near * max(1.0, logits.abs().max().item())
    share = same / found.numel()
    line = (f"labels: {100 * share:.4f} % of {found.numel():,} the same, {found.numel() - same} others at most {gap:.1e} "
            f"below the largest; {len(expected.unique())} classes")
    if len(expected.unique()) < 2:
        return line, "only one class appears, which proves nothing"
    if share < least or not gap <= 2 * limit:
        return line, f"{line}; expected {100 * least:.2f} % and at most {2 * limit:.1e}"
    return line, None


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
