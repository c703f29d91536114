"""A peer in a process of its own, which sleeps while others run; and the Swift engine, a fresh process each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cases import Case

HERE = Path(__file__).resolve().parent

OURS = "cetnet"

AVX2_ENVIRONMENT = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # PyTorch, torch.compile and OpenVINO multiply with oneDNN
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "CETNET_KERNELS": "avx2",
}
UNRESTRICTABLE = {"ONNX Runtime"}
"""Has no setting for the instruction set, so it is left out where the others are held to AVX2."""


class PeerError(Exception):
    """A process failed. The message says which and how."""


def environment(case: Case) -> dict[str, str]:
    """Every library that has threads of its own is told how many."""
    threads = {name: str(case.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return os.environ | threads | (AVX2_ENVIRONMENT if case.avx2 else {})


class Peer:
    """A worker process with one engine and one problem."""

    def __init__(self, name: str, case: Case, model: Path, onnx: dict[int, Path], images: Path, logits: Path,
                 calibration_seconds: float, thorough: bool, cpus: set[int] | None) -> None:
        self.name, self.logits_path = name, logits
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, text=True, bufsize=1, env=environment(case),
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        self.ready = self._ask({
            "engine": name, "model": str(model), "onnx": {str(batch): str(path) for batch, path in onnx.items()},
            "images": str(images), "logits": str(logits), "threads": case.threads, "avx2": case.avx2,
            "thorough": thorough, "calibration_seconds": calibration_seconds})["ready"]

    @property
    def logits(self) -> np.ndarray:
        return np.load(self.logits_path)

    def measure(self, seconds: float) -> list[float]:
        """Milliseconds of each run over the batch."""
        return self._ask({"seconds": seconds})["times_ms"]

    def processor_seconds(self) -> float:
        """Processor time that the process has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            self.errors.seek(0)
            tail = "".join(self.errors.readlines()[-15:])
            raise PeerError(f"{self.name} ended with status {self.process.returncode}:\n{tail}")
        return json.loads(line)


class SwiftEngine:
    """The executable, called anew for every turn."""

    def __init__(self, executable: Path, case: Case, model: Path, images: Path, folder: Path, backend: str,
                 cpus: set[int] | None, precision: str = "float32") -> None:
        self.name = OURS if precision == "float32" else f"{OURS} {precision}"
        self.precision = precision
        self.executable, self.case, self.model, self.backend, self.cpus = executable, case, model, backend, cpus
        self.images, self.logits_path = images, folder / f"{self.name}.npy"
        self.report = folder / "bench.json"
        self.machine: dict[str, Any] = {}
        self.results: list[dict[str, Any]] = []

    @property
    def logits(self) -> np.ndarray:
        self._call("run", "--model", self.model, "--input", self.images, "--output", self.logits_path,
                   "--threads", self.case.threads, "--precision", self.precision)
        return np.load(self.logits_path)

    def measure(self, seconds: float) -> dict[str, Any]:
        """One result of `cetnet bench --json`."""
        case = self.case
        self._call("bench", self.model, "--image-size", case.size, "--batch", case.batch, "--threads", case.threads,
                   "--seconds", seconds, "--backend", self.backend, "--precision", self.precision,
                   "--json", self.report)
        report = json.loads(self.report.read_text())
        self.machine = report["machine"]
        self.results.append(report["results"][0])
        return report["results"][0]

    def _call(self, *arguments: object) -> None:
        command = [str(self.executable), *map(str, arguments)]
        result = subprocess.run(
            command, capture_output=True, text=True, env=environment(self.case), stdin=subprocess.DEVNULL,
            preexec_fn=(lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None)
        if result.returncode != 0:
            raise PeerError(f"{' '.join(command)} ended with status {result.returncode}:\n{result.stderr.strip()}")
