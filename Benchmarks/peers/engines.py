"""The engines that the Swift one is compared with: each loads the same weights and runs the same images.

Each gets what its own guides recommend for inference on CPUs, and where there is a choice that depends on the model
(memory format, streams) the candidates are timed first and the fastest is taken.
"""

from __future__ import annotations

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Problem:
    """What a worker is asked to run."""

    model: Path
    """A model directory."""
    onnx: dict[int, Path]
    """The model exported for a batch size."""
    images: np.ndarray
    """(B, 3, H, W), float32."""
    threads: int
    avx2: bool
    thorough: bool
    """Whether to try what is seldom faster and always slow to prepare."""


@dataclass(frozen=True)
class Candidate:
    """One way of running a problem."""

    name: str
    run: Callable[[], np.ndarray]
    """Runs the images `passes` times and returns their logits."""
    passes: int = 1


class Engine(ABC):
    """One engine. `candidates` yields loaded ways of running the problem, one by one."""

    name: str

    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def candidates(self, problem: Problem) -> Iterable[Candidate]: ...


def fastest(candidates: Iterable[Candidate], seconds: float) -> Candidate:
    """Times each candidate for some seconds after two runs to warm up; the one with the smallest median."""
    timed = []
    for candidate in candidates:
        candidate.run()
        candidate.run()
        timed.append((statistics.median(measure(candidate, seconds)), candidate))
    return min(timed, key=lambda pair: pair[0])[1]


def measure(candidate: Candidate, seconds: float, at_least: int = 3) -> list[float]:
    """Milliseconds per pass over the images."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < at_least:
        start = time.perf_counter()
        candidate.run()
        times.append((time.perf_counter() - start) * 1000 / candidate.passes)
    return times


class PyTorch(Engine):
    """Eager mode. Tries both memory formats."""

    name = "PyTorch"

    def version(self) -> str:
        import torch
        return torch.__version__

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        import torch
        for layout in ("contiguous", "channels last"):
            model, images = self.load(problem, layout)
            yield Candidate(layout, inferring(torch, model, images))

    @staticmethod
    def load(problem: Problem, layout: str):
        import torch

        from cetnet.checkpoint import load_model
        torch.set_num_threads(problem.threads)
        model = load_model(problem.model)
        images = torch.from_numpy(problem.images)
        if layout == "channels last":
            model = model.to(memory_format=torch.channels_last)
            images = images.to(memory_format=torch.channels_last)
        return model, images


class CompiledPyTorch(PyTorch):
    """torch.compile with frozen weights, which lets its compiler pack them. Tries both memory formats.

    `thorough` also tries the mode that times several implementations of each matrix product, and weights not frozen.
    """

    name = "torch.compile"

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        import torch
        import torch._inductor.config as inductor
        if problem.avx2:
            inductor.cpp.simdlen = 256
        for freezing, mode in [(True, "default")] + ([(True, "max-autotune"), (False, "default")]
                                                     if problem.thorough else []):
            for layout in ("contiguous", "channels last"):
                torch._dynamo.reset()
                inductor.freezing = freezing
                model, images = self.load(problem, layout)
                compiled = torch.compile(model, dynamic=False, mode=mode)
                name = ", ".join([layout, "frozen" if freezing else "not frozen"] + [mode] * (mode != "default"))
                yield Candidate(name, inferring(torch, compiled, images))


def inferring(torch, model, images) -> Callable[[], np.ndarray]:
    @torch.inference_mode()
    def run() -> np.ndarray:
        return model(images).numpy()
    return run


class ONNXRuntime(Engine):
    """All graph optimisations. On several threads also one image after another on each thread, for larger batches."""

    name = "ONNX Runtime"

    def version(self) -> str:
        import onnxruntime
        return onnxruntime.__version__

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        batch, threads = len(problem.images), problem.threads
        whole = self.session(problem.onnx[batch], threads)
        yield Candidate(
            "one session", lambda: whole.run(["logits"], {"images": problem.images})[0])
        share = batch // threads
        if threads > 1 and batch % threads == 0 and share in problem.onnx:
            parts = np.split(problem.images, threads)
            sessions = [self.session(problem.onnx[share], 1) for _ in parts]
            pool = ThreadPoolExecutor(threads)

            def run() -> np.ndarray:
                return np.concatenate(list(pool.map(
                    lambda session, part: session.run(["logits"], {"images": part})[0], sessions, parts)))
            yield Candidate(f"{threads} sessions of one thread", run)

    @staticmethod
    def session(path: Path, threads: int):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class OpenVINO(Engine):
    """float32, latency mode; for larger batches on several threads also as many streams as threads."""

    name = "OpenVINO"
    hint = "f32"

    def version(self) -> str:
        import openvino
        return openvino.__version__.split("-")[0]

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        batch, threads = len(problem.images), problem.threads
        request = self.compile(problem.onnx[batch], threads, 1).create_infer_request()
        yield Candidate(
            "latency", lambda: request.infer([problem.images], share_inputs=True, share_outputs=True)[0].copy())
        if threads == 1 or batch == 1:
            return
        for share in sorted(problem.onnx):
            # Enough images that every stream has as many requests as the others.
            passes = threads * share // batch if threads * share > batch else 1
            if passes * batch % (threads * share) != 0:
                continue
            yield self.streams(problem, share, passes)

    def streams(self, problem: Problem, share: int, passes: int) -> Candidate:
        import openvino
        batch, threads = len(problem.images), problem.threads
        queue = openvino.AsyncInferQueue(self.compile(problem.onnx[share], threads, threads), threads)
        logits: dict[int, np.ndarray] = {}
        queue.set_callback(lambda request, start: logits.__setitem__(start, request.get_output_tensor().data.copy()))
        starts = list(range(0, batch, share))

        def run() -> np.ndarray:
            for _ in range(passes):
                for start in starts:
                    queue.start_async([problem.images[start:start + share]], start, share_inputs=True)
            queue.wait_all()
            return np.concatenate([logits[start] for start in starts])
        return Candidate(f"{threads} streams of batch {share}", run, passes)

    def compile(self, path: Path, threads: int, streams: int, hint: str | None = None):
        import openvino
        return openvino.Core().compile_model(path, "CPU", {
            "INFERENCE_PRECISION_HINT": hint or self.hint, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams,
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT"})


ENGINES = {engine.name: engine for engine in (PyTorch(), CompiledPyTorch(), ONNXRuntime(), OpenVINO())}
