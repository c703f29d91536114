"""Calls of the `cetnet` executable."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .commands import REPOSITORY, CommandError

DEFAULT_EXECUTABLE = REPOSITORY / ".build" / "release" / "cetnet"


class EngineError(Exception):
    """The executable failed, or what it wrote is not what its contract says."""


class Engine:
    """The executable at `path`, with additional environment variables, for instance to force a kernel tier."""

    def __init__(self, path: Path, environment: dict[str, str] | None = None, seconds: float = 600) -> None:
        if not os.access(path, os.X_OK) or path.is_dir():
            raise CommandError(f"{path} is no executable; build it (swift build -c release) or name it with --cetnet")
        self.path, self.environment, self.seconds = path, environment or {}, seconds

    def call(self, *arguments: object) -> str:
        """Standard output of a call that ends with status 0."""
        command = [str(self.path), *map(str, arguments)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=self.seconds,
                                    env=os.environ | self.environment)
        except subprocess.TimeoutExpired:
            raise EngineError(f"{' '.join(command)}: no answer within {self.seconds:.0f} s") from None
        if result.returncode != 0:
            raise EngineError(f"{' '.join(command)}: status {result.returncode}\n{result.stderr.strip()}")
        return result.stdout

    def inspect(self, model: str | Path, size: tuple[int, int] | None = None) -> dict[str, Any]:
        """`cetnet inspect --json`, at an image size (height, width)."""
        options = ["--image-size", f"{size[0]}x{size[1]}"] if size is not None else []
        text = self.call("inspect", model, "--json", *options)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise EngineError(f"cetnet inspect {model} --json printed no JSON: {error}") from None

    def run(self, model: Path, images: Tensor, folder: Path, threads: int | None = None,
            stages: int = 0, precision: str | None = None, labels: Path | None = None) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the feature maps (B, C, H, W) of the first `stages` stages; with `labels` a segmentation model's
        label maps go to that file."""
        source, target, features = folder / "input.npy", folder / "output.npy", folder / "features"
        np.save(source, images.numpy())
        target.unlink(missing_ok=True)
        options: list[object] = []
        if stages:
            options += ["--features", features]
        if threads is not None:
            options += ["--threads", threads]
        if precision is not None:
            options += ["--precision", precision]
        if labels is not None:
            labels.unlink(missing_ok=True)
            options += ["--labels", labels]
        self.call("run", "--model", model, "--input", source, "--output", target, *options)
        return _read(target), [_read(features / f"stage{stage + 1}.npy") for stage in range(stages)]

    def segment(self, model: Path, image: Path, folder: Path, *options: object) -> Tensor:
        """The label of each pixel of an image, (H, W)."""
        target = folder / "labels"
        self.call("segment", "--model", model, image, "--output", target, *options)
        with Image.open(target / f"{image.stem}.png") as picture:
            return torch.from_numpy(np.array(picture)).long()

    def preprocess(self, model: Path, image: Path, folder: Path) -> Tensor:
        """(1, 3, H, W): what the model would see of an image."""
        target = folder / "preprocessed.npy"
        target.unlink(missing_ok=True)
        self.call("preprocess", "--model", model, image, "--output", target)
        return _read(target)


def read_labels(path: Path) -> Tensor:
    """Label maps, int32 (B, H, W)."""
    return _read(path, np.int32).long()


def _read(path: Path, dtype: type = np.float32) -> Tensor:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"{path}: {error}") from None
    if array.dtype != dtype:
        raise EngineError(f"{path}: expected {np.dtype(dtype)}, found {array.dtype}")
    return torch.from_numpy(array)
