"""What is compared: a model, an image size, a batch, a number of threads, and for whom instructions are restricted."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One row of the comparison."""

    model: str
    """A variant's name."""
    height: int
    width: int
    batch: int
    threads: int
    avx2: bool = False
    """Whether every engine is held to AVX2."""
    target: float | None = None
    """How many times as fast as the fastest peer the project wants to be here."""

    @property
    def size(self) -> str:
        return f"{self.height}x{self.width}"

    @property
    def name(self) -> str:
        size = str(self.height) if self.height == self.width else self.size
        return f"{self.model}/{size}/b{self.batch}/t{self.threads}{'/avx2' if self.avx2 else ''}"

    @classmethod
    def parse(cls, text: str) -> Case:
        """The inverse of `name`; the target is that of the same case in the standard list, if it is there."""
        found = re.fullmatch(r"([\w-]+)/(\d+)(?:x(\d+))?/b(\d+)/t(\d+)(/avx2)?", text)
        if not found:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no case: write MODEL/SIZE/bBATCH/tTHREADS[/avx2], for instance cetnet-t/224/b1/t2")
        model, height, width, batch, threads, avx2 = found.groups()
        case = cls(model, int(height), int(width or height), int(batch), int(threads), avx2 is not None)
        if min(case.height, case.width) < 32 or case.batch < 1 or not 1 <= case.threads <= 64:
            raise argparse.ArgumentTypeError(
                f"{text!r}: sides are at least 32, batches at least 1, threads 1 to 64")
        return next((other for other in CASES if other.name == case.name), case)


STANDARD = [
    Case("cetnet-t", 224, 224, 1, 1, target=1.2),
    Case("cetnet-t", 224, 224, 1, 2, target=1.3),
    Case("cetnet-t", 224, 224, 8, 2, target=1.3),
    Case("cetnet-s", 224, 224, 1, 1, target=1.15),
    Case("cetnet-b", 224, 224, 1, 1, target=1.15),
    Case("cetnet-t", 384, 384, 1, 1, target=1.15),
    Case("cetnet-t", 224, 224, 1, 1, avx2=True, target=1.0),
]
"""The cases that the project has a target for."""

MORE = [
    Case("cetnet-s", 224, 224, 1, 2, target=1.15),
    Case("cetnet-b", 224, 224, 1, 2, target=1.15),
    Case("cetnet-t", 384, 384, 1, 2, target=1.15),
    Case("cetnet-t", 224, 224, 1, 2, avx2=True, target=1.0),
]
"""The others at two threads."""

BACKBONES = [
    Case(model, 224, 224, 1, threads, target=target)
    for model, target in (("swin-t", 1.15), ("pvt-s", 1.0), ("cvt-13", 1.0), ("cswin-t", 1.0)) for threads in (1, 2)
]
"""The backbones that public checkpoints exist of."""

SEGMENTATION = [
    Case(model, 512, 512, 1, threads, target=2.0)
    for model in ("swin-t-upernet", "cetnet-t-upernet") for threads in (1, 2)
]
"""UPerNet up to its logits."""

CASES = STANDARD + MORE + BACKBONES + SEGMENTATION
