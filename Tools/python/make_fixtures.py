#!/usr/bin/env python3
"""Regenerates the numeric fixtures of the engine's tests: models, inputs, and PyTorch's outputs."""

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cetnet import digits
from cetnet.attention import WindowAttention
from cetnet.checkpoint import load_model, read_tensors, save_model, write_tensors
from cetnet.commands import REPOSITORY, CommandError, run
from cetnet.configuration import SEGMENTATION, HeadConfiguration, ModelConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.model import CETNet
from cetnet.preprocessing import preprocess
from cetnet.segmentation import SegmentationModel, build, label_map

RESIZED = (53, 38)  # of an image that was squashed to the model's input
REFERENCE = {"reference": "PyTorch, float64 arithmetic on the stored values"}

@dataclass(frozen=True)
class Tiny:
    """A small model. What an input size exercises depends on the stages' maps, a quarter to a thirty-second of the
    image, and the window. `cases` are (height, width, batch)."""

    configuration: ModelConfiguration
    cases: tuple[tuple[int, int, int], ...]


def small(cases: tuple[tuple[int, int, int], ...] = ((32, 39, 1), (51, 33, 1)), **changes: Any) -> Tiny:
    """A variant of the studies of the convolutional embedding. The maps' sides are odd and even, 1 to 13."""
    base = dict(dims=(8, 16, 24, 8), depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 1), mlp_ratios=(1, 1, 1, 1),
                stem_channels=(4, 8), ce_layers=3, window_size=4, image_size=32, num_labels=3)
    return Tiny(ModelConfiguration(**(base | changes)), cases)


def upernet(**changes: Any) -> Tiny:
    """A segmentation model: a map smaller than the pools and one window on every axis, then odd sides, two images."""
    head = dict(task="segmentation", head=HeadConfiguration(hidden_size=12), num_labels=5,
                depths=(2, 1, 1, 2), preprocess=SEGMENTATION["preprocess"])
    return small(((32, 32, 1), (45, 70, 2)), **(head | changes))


CVT = dict(block="cvt", dims=(8, 16, 24), depths=(1, 1, 2), num_heads=(1, 2, 3), mlp_ratios=(1, 1, 2))
TINY = {
    # Every operator of the full models.
    "tiny": Tiny(
        ModelConfiguration(
            dims=(32, 32, 32, 32), depths=(2, 2, 1, 1), num_heads=(1, 2, 1, 1), mlp_ratios=(2, 1, 1, 1),
            stem_channels=(8, 16), image_size=64, num_labels=7),
        ((32, 32, 3),  # smallest; only stage 1 is shifted
         (33, 47, 1),  # odd at every stride
         (32, 64, 1),  # stage 2 is shifted along one axis
         (56, 56, 1),  # stages 1 and 2 need no padding
         (71, 90, 1))),
    "tiny_window4": Tiny(
        ModelConfiguration(
            dims=(16, 16, 16, 16), depths=(1, 2, 1, 1), num_heads=(1, 1, 1, 1), mlp_ratios=(1, 2, 1, 1),
            stem_channels=(12, 8), window_size=4, image_size=32, num_labels=3, labels=("a", "b", "c"),
            hidden_act="quick_gelu"),
        ((32, 32, 1), (33, 47, 1))),
    "tiny_ce1": small(ce_layers=1),
    "tiny_ce3": small(),
    "tiny_ce7": small(ce_layers=7, embeddings=("ce", "ce", "merge", "merge")),
    "tiny_pure-mb": small(ce_unit="pure-mb", ce_layers=5, embeddings=("ce", "ce", "merge", "merge")),
    "tiny_resnet": small(ce_unit="resnet", embeddings=("ce", "ce", "merge", "merge")),
    "tiny_se-resnet": small(  # two images, whose means differ
        ((32, 39, 2), (51, 33, 1)), ce_unit="se-resnet", embeddings=("ce", "ce", "merge", "merge"),
        dims=(8, 32, 16, 8)),
    "tiny_dense": small(ce_unit="dense", ce_layers=5, embeddings=("ce", "ce", "merge", "merge")),
    "tiny_shuffle": small(ce_unit="shuffle", embeddings=("ce", "ce", "merge", "merge")),
    "tiny_ghost": small(ce_unit="ghost", embeddings=("ce", "ce", "merge", "merge")),
    "tiny_stages0": small(  # patches leave the last rows and columns out
        ((32, 47, 1), (55, 37, 1)), embeddings=("patch", "merge", "merge", "merge")),
    "tiny_stages1": small(embeddings=("ce", "merge", "merge", "merge")),
    "tiny_stages2": small(embeddings=("ce", "ce", "merge", "merge")),
    "tiny_stages3": small(embeddings=("ce", "ce", "ce", "merge")),
    # Other backbones.
    "tiny_swin": small(
        ((32, 47, 1), (55, 37, 1)), block="swin", depths=(2, 1, 1, 2), embeddings=("patch", "merge", "merge", "merge")),
    "tiny_cvt": small(  # two images, since class tokens are shared between them
        ((32, 39, 2), (51, 33, 1)), **CVT, embeddings=("conv", "conv", "conv")),
    "tiny_ce-cvt": small(**CVT, embeddings=("ce", "ce", "conv")),
    "tiny_pvt": small(  # the size of the position embeddings, and one to interpolate to that reductions leave rests of
        ((32, 32, 2), (68, 44, 1)), block="pvt", mlp_ratios=(2, 1, 1, 1),
        embeddings=("patch", "patch", "patch", "patch")),
    "tiny_ce-pvt": small(block="pvt", mlp_ratios=(2, 1, 1, 1), embeddings=("ce", "ce", "patch", "patch")),
    "tiny_cswin": small(  # in stage 3 a map smaller than a stripe, and one of two stripes
        ((32, 39, 1), (36, 132, 1)), block="cswin", num_heads=(2, 2, 4, 1),
        embeddings=("conv", "conv", "conv", "conv")),
    # Segmentation models.
    "tiny_cetnet-upernet": upernet(),
    "tiny_ce-swin-upernet": upernet(block="swin"),
    "tiny_swin-upernet": upernet(block="swin", embeddings=("patch", "merge", "merge", "merge"), window_size=6),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Tests" / "EngineTests" / "Fixtures", metavar="DIR",
                        help="default: Tests/EngineTests/Fixtures")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit with status 1 if the files there differ from what would be written")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_all(Path(folder))
        problems = {path: differences(path, arguments.output / path.name) for path in sorted(Path(folder).iterdir())}
        if not arguments.check:
            # Only what changed: the safetensors package writes metadata in random order.
            for path, differing in problems.items():
                if differing:
                    shutil.copyfile(path, arguments.output / path.name)
                    print(arguments.output / path.name)
            return 0
    lines = [line for differing in problems.values() for line in differing]
    print("\n".join(lines) or "the fixtures are up to date")
    return 1 if lines else 0


def make_all(output: Path) -> None:
    for seed, (name, tiny) in enumerate(TINY.items()):
        model = randomize(build(tiny.configuration), seed)
        path = output / f"{name}.safetensors"
        save_model(model, path, "F16")  # keeps files small
        model = load_model(path)  # with the values as the file holds them
        write_tensors(model_outputs(model, tiny.cases), output / f"{name}_outputs.safetensors", REFERENCE)
    write_tensors(operators(), output / "operators.safetensors", REFERENCE)
    write_tensors(held_out_digits(), output / "digits_held_out.safetensors", REFERENCE)


def model_outputs(model: CETNet | SegmentationModel, cases: tuple[tuple[int, int, int], ...]) -> dict[str, Tensor]:
    """`HxW/input` (F16, exact), `HxW/logits`, `HxW/stage1` … `HxW/stage4` for each size; of a segmentation model also
    `HxW/labels` (F16, exact) at the input's size and `HxW/resized_labels` at `RESIZED`."""
    model = model.double()
    tensors = {}
    for seed, (height, width, batch) in enumerate(cases):
        images = random_images(batch, height, width, seed).half()
        with torch.no_grad():
            logits, features = model.forward_with_features(images.double())
        case = f"{height}x{width}"
        tensors[f"{case}/input"] = images
        tensors[f"{case}/logits"] = logits.float()
        for stage, feature in enumerate(features):
            tensors[f"{case}/stage{stage + 1}"] = feature.float().contiguous()
        if isinstance(model, SegmentationModel):
            tensors[f"{case}/labels"] = label_map(logits, (height, width)).half()
            tensors[f"{case}/resized_labels"] = label_map(logits, (height, width), RESIZED).half()
    return tensors


def operators() -> dict[str, Tensor]:
    """Single operators. Maps are (B, H, W, C), as the engine stores them; weights as in model files."""
    generator = torch.Generator().manual_seed(0)
    tensors: dict[str, Tensor] = {}

    def random(*shape: int, scale: float = 1.0) -> Tensor:
        return (torch.randn(*shape, generator=generator) * scale).double()

    def store(case: str, **values: Tensor) -> None:
        tensors.update({f"{case}/{name}": value.float().contiguous() for name, value in values.items()})

    def rounded(value: Tensor) -> Tensor:
        return value.float().double()  # what the file holds

    def convolution(case: str, size: tuple[int, int, int], cin: int, cout: int, kernel: int, stride: int,
                    groups: int = 1) -> None:
        batch, height, width = size
        fan_in = cin // groups * kernel * kernel
        x, weight = random(batch, height, width, cin), random(cout, cin // groups, kernel, kernel, scale=fan_in ** -0.5)
        bias = random(cout, scale=0.5)
        x, weight, bias = rounded(x), rounded(weight), rounded(bias)
        y = F.conv2d(x.permute(0, 3, 1, 2), weight, bias, stride, padding=kernel // 2, groups=groups)
        store(case, input=x, weight=weight, bias=bias, output=y.permute(0, 2, 3, 1))

    convolution("convolution_3x3", (2, 5, 7), 12, 8, kernel=3, stride=1)
    convolution("convolution_3x3_stride2_odd", (2, 9, 11), 3, 20, kernel=3, stride=2)
    convolution("convolution_3x3_stride2_even", (1, 6, 8), 16, 17, kernel=3, stride=2)
    convolution("convolution_1x1", (1, 5, 7), 19, 33, kernel=1, stride=1)
    convolution("depthwise_3x3", (2, 5, 7), 24, 24, kernel=3, stride=1, groups=24)
    convolution("depthwise_3x3_one_row", (1, 1, 3), 40, 40, kernel=3, stride=1, groups=40)
    convolution("depthwise_3x3_stride2_odd", (2, 5, 7), 24, 24, kernel=3, stride=2, groups=24)
    convolution("depthwise_3x3_stride2_even", (1, 6, 8), 33, 33, kernel=3, stride=2, groups=33)

    x = rounded(random(11, 72, scale=3) + random(11, 1, scale=5))
    norm = nn.LayerNorm(72, eps=1e-5).double()
    weight, bias = rounded(1 + random(72, scale=0.3)), rounded(random(72, scale=0.3))
    store("layer_norm", input=x, weight=weight, bias=bias,
          output=F.layer_norm(x, norm.normalized_shape, weight, bias, norm.eps))
    x = rounded(torch.cat([torch.linspace(-12, 12, 385), torch.tensor([-40.0, -0.0, 1e-30, 40.0])]).double())
    store("gelu", input=x, output=F.gelu(x))
    store("quick_gelu", input=x, output=x * torch.sigmoid(1.702 * x))

    def window_attention(case: str, size: tuple[int, int, int], heads: int, window: int, shift: int) -> None:
        """From projected tokens (`qkv`) to what the output projection reads; `qkv_bias` is what padding holds."""
        dim = 32 * heads
        module = WindowAttention(dim, heads, window, shift).double()
        module.proj = nn.Identity()
        x = random(*size, dim)
        with torch.no_grad():
            module.qkv.weight.copy_(random(3 * dim, dim, scale=dim ** -0.5))
            module.qkv.bias.copy_(rounded(random(3 * dim, scale=0.5)))
            table = module.relative_position_bias_table
            table.copy_(rounded(random(*table.shape)))
            store(case, qkv=module.qkv(x), qkv_bias=module.qkv.bias, relative_position_bias_table=table,
                  output=module(x))

    window_attention("window_attention_padded", (1, 6, 8), heads=1, window=7, shift=0)
    window_attention("window_attention_padded_shifted", (1, 8, 9), heads=1, window=7, shift=3)
    window_attention("window_attention_one_axis_shifted", (1, 5, 8), heads=1, window=7, shift=3)
    window_attention("window_attention_two_heads", (2, 5, 4), heads=2, window=4, shift=2)
    return tensors


def held_out_digits() -> dict[str, Tensor]:
    """Every held-out image of the shipped model: `pixels` (360, 8, 8) grey 0 to 255, `labels`, PyTorch's `logits`."""
    folder = REPOSITORY / "models" / "digits"
    if not folder.is_dir():
        raise CommandError(f"{folder} is missing; train_digits.py makes it")
    model = load_model(folder)
    _, held_out = digits.load()
    images = torch.stack([preprocess(held_out.image(index).convert("RGB"), model.configuration)
                          for index in range(len(held_out.labels))])
    with torch.no_grad():
        logits = torch.cat([model.double()(part.double()) for part in images.split(60)])
    # Whole numbers up to 2048 are exact in F16.
    return {"pixels": torch.from_numpy(held_out.pixels).half(), "labels": torch.from_numpy(held_out.labels).half(),
            "logits": logits.float()}


def differences(made: Path, committed: Path) -> list[str]:
    """What differs by more than another processor's rounding could explain."""
    if not committed.exists():
        return [f"{committed} is missing"]
    (new, new_metadata), (old, old_metadata) = read_tensors(made), read_tensors(committed)
    problems = [f"{committed.name}: metadata differ"] if new_metadata != old_metadata else []
    for name in sorted(set(new) | set(old)):
        if name not in new or name not in old or new[name].shape != old[name].shape:
            problems.append(f"{committed.name}: {name} is not in both, or of another shape")
            continue
        difference = (new[name].double() - old[name].double()).abs()
        if not (difference <= 1e-6 * (1 + old[name].double().abs())).all():
            problems.append(f"{committed.name}: {name} differs by {difference.max().item():.3g}")
    return problems


if __name__ == "__main__":
    run(main)
