"""The models and images that all engines get, made once and kept in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import export_onnx
from cases import Case
from cetnet.checkpoint import load_model, save_model
from cetnet.configuration import ModelConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.segmentation import build

SEED = 1


class Files:
    """Files in `folder`; what is there is not made again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def model(self, case: Case) -> Path:
        """A model directory with seeded random weights."""
        path = self.folder / case.model
        if not (path / "model.safetensors").exists():
            save_model(randomize(build(ModelConfiguration.for_variant(case.model)), SEED), path)
        return path

    def onnx(self, case: Case) -> dict[int, Path]:
        """The same weights as ONNX files of fixed batch: the case's, and the parts that streams may run."""
        batches = {case.batch} | ({case.batch // case.threads, 1} if case.threads > 1 and case.batch > 1 else set())
        return {batch: self._onnx(case, batch) for batch in sorted(batches)}

    def _onnx(self, case: Case, batch: int) -> Path:
        path = self.folder / f"{case.model}-{case.size}-batch{batch}.onnx"
        if not path.exists():
            partial = path.with_suffix(".partial.onnx")
            export_onnx.export(load_model(self.model(case)), partial, (case.height, case.width), batch)
            partial.rename(path)
        return path

    def images(self, case: Case) -> Path:
        path = self.folder / f"images-{case.size}-batch{case.batch}.npy"
        np.save(path, random_images(case.batch, case.height, case.width, SEED).numpy())
        return path

    def expected(self, case: Case, images: Path) -> np.ndarray:
        """The logits in double precision, by PyTorch."""
        model = load_model(self.model(case)).double()
        with torch.inference_mode():
            return model(torch.from_numpy(np.load(images)).double()).numpy()
