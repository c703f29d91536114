"""The same engines in bfloat16 and int8, each as its own guides recommend for transformers on CPUs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engines import Candidate, Engine, ONNXRuntime, OpenVINO, Problem, PyTorch

CALIBRATION_IMAGES = 16
"""Noise like the images that are compared, of other seeds. Results change little with more."""


def calibration_images(problem: Problem) -> Iterable[np.ndarray]:
    from cetnet.initialization import random_images
    batch, _, height, width = problem.images.shape
    for seed in range(CALIBRATION_IMAGES):
        yield random_images(batch, height, width, 1000 + seed).numpy()


class PyTorchBFloat16(PyTorch):
    """Weights and activations in bfloat16, and autocast, which keeps some operators in float32; both memory formats."""

    name = "PyTorch bfloat16"

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        import torch
        for layout in ("contiguous", "channels last"):
            model, images = self.load(problem, layout)

            @torch.inference_mode()
            def autocast(model=model, images=images) -> np.ndarray:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    return model(images).float().numpy()
            yield Candidate(f"{layout}, autocast", autocast)
            whole, rounded = self.load(problem, layout)
            whole, rounded = whole.bfloat16(), rounded.bfloat16()

            @torch.inference_mode()
            def converted(model=whole, images=rounded) -> np.ndarray:
                return model(images).float().numpy()
            yield Candidate(f"{layout}, converted", converted)


class OpenVINOBFloat16(OpenVINO):
    """Inference precision hint bf16."""

    name = "OpenVINO bfloat16"
    hint = "bf16"


class OpenVINOInt8(OpenVINO):
    """NNCF's post-training quantisation for transformers; the rest in float32 or bfloat16, whichever is faster."""

    name = "OpenVINO int8"
    smooth_quant = True

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        batch = len(problem.images)
        path = problem.onnx[batch].with_suffix(f".nncf{'' if self.smooth_quant else '-plain'}.xml")
        if not path.exists():
            self.quantize(problem, problem.onnx[batch], path)
        for hint in ("f32", "bf16"):
            compiled = self.compile(path, problem.threads, 1, hint)
            request = compiled.create_infer_request()
            yield Candidate(f"the rest {hint}", lambda request=request: request.infer(
                [problem.images], share_inputs=True, share_outputs=True)[0].copy())

    def quantize(self, problem: Problem, onnx: Path, path: Path) -> None:
        import nncf
        import openvino
        advanced = nncf.AdvancedQuantizationParameters(
            smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters() if self.smooth_quant
            else nncf.AdvancedSmoothQuantParameters(convolution=-1, matmul=-1))
        model = nncf.quantize(
            openvino.Core().read_model(onnx), nncf.Dataset(list(calibration_images(problem))),
            model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_IMAGES, advanced_parameters=advanced)
        partial = path.with_suffix(".partial.xml")
        openvino.save_model(model, partial, compress_to_fp16=False)
        partial.with_suffix(".bin").rename(path.with_suffix(".bin"))
        partial.rename(path)


class OpenVINOInt8Plain(OpenVINOInt8):
    """The same without SmoothQuant."""

    name = "OpenVINO int8, no SmoothQuant"
    smooth_quant = False


class ONNXRuntimeInt8(ONNXRuntime):
    """Dynamic quantisation: scales of activations per tensor, as they come; weights per channel."""

    name = "ONNX Runtime int8, dynamic"
    suffix = "dynamic"

    def candidates(self, problem: Problem) -> Iterable[Candidate]:
        onnx = problem.onnx[len(problem.images)]
        path = onnx.with_suffix(f".{self.suffix}.onnx")
        if not path.exists():
            from onnxruntime.quantization.shape_inference import quant_pre_process
            partial, prepared = path.with_suffix(".partial.onnx"), path.with_suffix(".prepared.onnx")
            quant_pre_process(onnx, prepared, skip_symbolic_shape=True)
            self.quantize(problem, prepared, partial)
            partial.rename(path)
        session = self.session(path, problem.threads)
        yield Candidate("one session", lambda: session.run(["logits"], {"images": problem.images})[0])

    def quantize(self, problem: Problem, onnx: Path, path: Path) -> None:
        from onnxruntime.quantization import QuantType, quantize_dynamic
        # Without MatMul and Gemm alone its convolutions would run in an operator that is slower than float32's.
        quantize_dynamic(onnx, path, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
                         weight_type=QuantType.QInt8)


class ONNXRuntimeInt8Static(ONNXRuntimeInt8):
    """Static quantisation: scales of activations per tensor from calibration; weights per channel."""

    name = "ONNX Runtime int8, static"
    suffix = "static"

    def quantize(self, problem: Problem, onnx: Path, path: Path) -> None:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

        class Reader(CalibrationDataReader):
            images = iter(calibration_images(problem))

            def get_next(self):
                batch = next(self.images, None)
                return None if batch is None else {"images": batch}
        quantize_static(onnx, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def by_name(*engines: Engine) -> dict[str, Engine]:
    return {engine.name: engine for engine in engines}


PRECISIONS = {
    "bfloat16": by_name(PyTorchBFloat16(), OpenVINOBFloat16()),
    "int8": by_name(OpenVINOInt8(), OpenVINOInt8Plain(), ONNXRuntimeInt8(), ONNXRuntimeInt8Static()),
}
"""The engines of each precision, by name."""
