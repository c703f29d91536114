"""The study in accuracy: models of equal size, runs that are not computed twice, a table that says what it can tell."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import study_accuracy

SCRIPT = Path(study_accuracy.__file__)


def write_idx(path: Path, values: np.ndarray) -> None:
    head = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(head + values.tobytes()))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    for name, count in (("train", 40), ("t10k", 20)):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", generator.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", generator.integers(0, 10, count).astype(np.uint8))
    return folder


def test_models_have_about_the_same_parameters() -> None:
    counts = {name: study_accuracy.parameters(study_accuracy.configuration(name)) for name in study_accuracy.MODELS}
    reference = counts[study_accuracy.REFERENCE]
    assert all(abs(count / reference - 1) < 0.03 for count in counts.values()), counts


def test_runs_are_resumed_and_not_repeated(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "runs.csv"

    def call(*options: object) -> str:
        command = [sys.executable, SCRIPT, "--data", data, "--output", output, "--epochs", 1, "--seeds", 2, *options]
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout

    first = call("--only", "layers-1")
    assert "layers-1, seed 1" in first and len(output.read_text().splitlines()) == 3, first
    second = call("--only", "layers-1", "layers-5")
    assert "layers-1, seed" not in second and "layers-5, seed 0" in second, second
    assert len(output.read_text().splitlines()) == 5
    assert not list(tmp_path.glob("*.pth"))


def test_the_table_says_what_chance_can_do() -> None:
    def rows(name: str, *top1: float) -> list[dict[str, str]]:
        return [dict(model=name, seed=str(seed), parameters="1000", multiply_adds="2000", images="1", epochs="1",
                     top1=str(value), seconds="1") for seed, value in enumerate(top1)]

    table = study_accuracy.table(
        rows("layers-5", 0.90, 0.91, 0.92) + rows("layers-1", 0.80, 0.81, 0.82) + rows("ghost", 0.905, 0.91, 0.915))
    lines = {line.split()[0]: line for line in table.splitlines()}
    assert "91.00" in lines["layers-5"] and "1.00" in lines["layers-5"]
    assert "-10.00 ± 1.63" in lines["layers-1"] and "told apart" not in lines["layers-1"]
    assert "not told apart" in lines["ghost"], table
