"""Checkpoints of others: which tensor of theirs is which of ours, one table per layout, and how their authors evaluate.

A row maps a module (or parameter) of the checkpoint to ours; `{block}` stands for the number of a block inside its
stage, and `[n]` says that the tensor is the n-th part of ours, along the first axis.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .checkpoint import CheckpointError
from .configuration import VARIANTS, ConfigurationError, ModelConfiguration, PreprocessConfiguration

# Computed, not learned.
BUFFERS = ("relative_position_index", "attn_mask", "relative_coords_table", "num_batches_tracked")


def is_buffer(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in BUFFERS


@dataclass(frozen=True)
class Layout:
    """`rows` gives a stage's rows of the table; `ends` those outside the stages.

    `computes` is what a port computes otherwise than the authors of its weights.
    """

    name: str
    block: str
    stages: int
    rows: Callable[[int], Mapping[str, str]]
    ends: Mapping[str, str]
    computes: Mapping[str, Any] = field(default_factory=dict)

    def table(self) -> dict[str, str]:
        return dict(self.ends) | {theirs: ours for stage in range(self.stages)
                                  for theirs, ours in self.rows(stage).items()}


def _block(theirs: str, stage: int, rows: Mapping[str, str]) -> dict[str, str]:
    return {f"{theirs}.{{block}}.{name}": f"stages.{stage}.blocks.{{block}}.{ours}" for name, ours in rows.items()}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _embed(theirs: str, stage: int, *names: str) -> dict[str, str]:
    return {f"{theirs}.{name}": f"stages.{stage}.embed.{name}" for name in names}


def _merge(theirs: str, stage: int) -> dict[str, str]:
    """Before the first stage and after the last there is none."""
    return _embed(theirs, stage, "norm", "reduction") if stage in (1, 2, 3) else {}


_SWIN_BLOCK = _same("norm1", "attn.qkv", "attn.proj", "attn.relative_position_bias_table", "norm2")
_MLP = _same("mlp.fc1", "mlp.fc2")


def _swin_authors(stage: int) -> dict[str, str]:
    return _block(f"layers.{stage}.blocks", stage, _SWIN_BLOCK | _MLP) | _merge(f"layers.{stage}.downsample", stage + 1)


def _swin_timm(stage: int) -> dict[str, str]:
    return _block(f"layers.{stage}.blocks", stage, _SWIN_BLOCK | _MLP) | _merge(f"layers.{stage}.downsample", stage)


def _swin_torchvision(stage: int) -> dict[str, str]:
    rows = _block(f"features.{2 * stage + 1}", stage, _SWIN_BLOCK | {"mlp.0": "mlp.fc1", "mlp.3": "mlp.fc2"})
    return rows | _merge(f"features.{2 * stage}", stage)


def _swin_transformers(stage: int) -> dict[str, str]:
    layer = f"swin.encoder.layers.{stage}"
    return _block(f"{layer}.blocks", stage, {
        "layernorm_before": "norm1", "attention.self.query": "attn.qkv[0]", "attention.self.key": "attn.qkv[1]",
        "attention.self.value": "attn.qkv[2]", "attention.output.dense": "attn.proj",
        "attention.self.relative_position_bias_table": "attn.relative_position_bias_table",
        "layernorm_after": "norm2", "intermediate.dense": "mlp.fc1", "output.dense": "mlp.fc2",
    }) | _merge(f"{layer}.downsample", stage + 1)


def _pvt_authors(stage: int) -> dict[str, str]:
    rows = _same("norm1", "attn.q", "attn.kv", "attn.sr", "attn.norm", "attn.proj", "norm2")
    embedding = _embed(f"patch_embed{stage + 1}", stage, "proj", "norm") | _same(f"pos_embed{stage + 1}")
    return _block(f"block{stage + 1}", stage, rows | _MLP) | embedding


def _pvt_transformers(stage: int) -> dict[str, str]:
    patches = f"pvt.encoder.patch_embeddings.{stage}"
    token = {f"{patches}.cls_token": "cls_token"} if stage == 3 else {}
    return _block(f"pvt.encoder.block.{stage}", stage, {
        "layer_norm_1": "norm1", "attention.self.query": "attn.q", "attention.self.key": "attn.kv[0]",
        "attention.self.value": "attn.kv[1]", "attention.self.sequence_reduction": "attn.sr",
        "attention.self.layer_norm": "attn.norm", "attention.output.dense": "attn.proj", "layer_norm_2": "norm2",
        "mlp.dense1": "mlp.fc1", "mlp.dense2": "mlp.fc2",
    }) | {f"{patches}.projection": f"stages.{stage}.embed.proj", f"{patches}.layer_norm": f"stages.{stage}.embed.norm",
          f"{patches}.position_embeddings": f"pos_embed{stage + 1}"} | token


def _cvt_authors(stage: int) -> dict[str, str]:
    rows = _same("norm1", *(f"attn.{name}" for letter in "qkv" for name in (
        f"conv_proj_{letter}.conv", f"conv_proj_{letter}.bn", f"proj_{letter}")), "attn.proj", "norm2")
    token = {f"stage{stage}.cls_token": "cls_token"} if stage == 2 else {}
    embedding = _embed(f"stage{stage}.patch_embed", stage, "proj", "norm")
    return _block(f"stage{stage}.blocks", stage, rows | _MLP) | embedding | token


def _cvt_transformers(stage: int) -> dict[str, str]:
    layer = f"cvt.encoder.stages.{stage}"
    rows = {"layernorm_before": "norm1", "attention.output.dense": "attn.proj", "layernorm_after": "norm2",
            "intermediate.dense": "mlp.fc1", "output.dense": "mlp.fc2"}
    for letter, word in (("q", "query"), ("k", "key"), ("v", "value")):
        projection = f"attention.attention.convolution_projection_{word}.convolution_projection"
        rows |= {f"{projection}.convolution": f"attn.conv_proj_{letter}.conv",
                 f"{projection}.normalization": f"attn.conv_proj_{letter}.bn",
                 f"attention.attention.projection_{word}": f"attn.proj_{letter}"}
    embedding = f"{layer}.embedding.convolution_embeddings"
    token = {f"{layer}.cls_token": "cls_token"} if stage == 2 else {}
    return _block(f"{layer}.layers", stage, rows) | {
        f"{embedding}.projection": f"stages.{stage}.embed.proj",
        f"{embedding}.normalization": f"stages.{stage}.embed.norm"} | token


def _cswin_authors(stage: int) -> dict[str, str]:
    rows = {"norm1": "norm1", "qkv": "attn.qkv", "attns.0.get_v": "attn.lepe.0", "attns.1.get_v": "attn.lepe.1",
            "proj": "attn.proj", "norm2": "norm2"}
    embedding = {f"merge{stage}.conv": f"stages.{stage}.embed.proj", f"merge{stage}.norm": f"stages.{stage}.embed.norm"}
    return _block(f"stage{stage + 1}", stage, rows | _MLP) | (embedding if stage > 0 else {})


_HEAD = _same("norm", "head")
_SWIN_PATCHES = _embed("patch_embed", 0, "proj", "norm")
_TRANSFORMERS_SWIN_ENDS = {
    "swin.embeddings.patch_embeddings.projection": "stages.0.embed.proj", "swin.embeddings.norm": "stages.0.embed.norm",
    "swin.layernorm": "norm", "classifier": "head"}

LAYOUTS = (
    Layout("the authors' Swin Transformer", "swin", 4, _swin_authors, _SWIN_PATCHES | _HEAD),
    Layout("timm's Swin Transformer", "swin", 4, _swin_timm, _SWIN_PATCHES | {"norm": "norm", "head.fc": "head"}),
    Layout("torchvision's Swin Transformer", "swin", 4, _swin_torchvision,
           {"features.0.0": "stages.0.embed.proj", "features.0.2": "stages.0.embed.norm"} | _HEAD),
    Layout("Transformers' Swin", "swin", 4, _swin_transformers, _TRANSFORMERS_SWIN_ENDS),
    Layout("the authors' PVT", "pvt", 4, _pvt_authors, _same("cls_token") | _HEAD),
    Layout("Transformers' PVT", "pvt", 4, _pvt_transformers, {"pvt.encoder.layer_norm": "norm", "classifier": "head"},
           computes={"layer_norm_eps": 1e-6}),
    Layout("the authors' CvT", "cvt", 3, _cvt_authors, _HEAD),
    # The authors train with QuickGELU.
    Layout("Transformers' CvT", "cvt", 3, _cvt_transformers, {"layernorm": "norm", "classifier": "head"},
           computes={"hidden_act": "gelu"}),
    Layout("the authors' CSWin Transformer", "cswin", 4, _cswin_authors,
           {"stage1_conv_embed.0": "stages.0.embed.proj", "stage1_conv_embed.2": "stages.0.embed.norm"} | _HEAD),
)


def crop_share(image_size: int, resized: int) -> float:
    """The `crop_pct` that makes exactly `resized` of `image_size`."""
    share = image_size / resized
    return share if math.floor(image_size / share) == resized else math.nextafter(share, 0)


@dataclass(frozen=True)
class Evaluation:
    """How the authors of some layouts' weights prepare the images that they report accuracy on.

    Of one `variant` if it is named, for images of at least `least_size`. `source` is where that is written.
    """

    layouts: tuple[str, ...]
    preprocess: PreprocessConfiguration
    source: str
    variant: str | None = None
    least_size: int = 0


_SQUASH = PreprocessConfiguration(crop_pct=1.0, crop_mode="squash")
_TORCHVISION, _TIMM = ("torchvision's Swin Transformer",), ("timm's Swin Transformer",)
# A port has its authors' weights.
_SWIN = ("the authors' Swin Transformer", "Transformers' Swin")
_PVT, _CVT = (tuple(f"{port} {name}" for port in ("the authors'", "Transformers'")) for name in ("PVT", "CvT"))
_CSWIN = ("the authors' CSWin Transformer",)

# The first row that fits; all of them bicubic, with ImageNet's mean and deviation.
EVALUATIONS = (
    *(Evaluation(_TORCHVISION, PreprocessConfiguration(crop_pct=crop_share(224, resized)),
                 f"Swin_{variant[-1].upper()}_Weights: {resized}, crop 224", variant)
      for variant, resized in (("swin-t", 232), ("swin-s", 246), ("swin-b", 238))),
    Evaluation(_TIMM, PreprocessConfiguration(crop_pct=1.0), "models/swin_transformer.py: crop_pct of its 384 models",
               least_size=384),
    Evaluation(_TIMM, PreprocessConfiguration(crop_pct=0.9), "models/swin_transformer.py: crop_pct"),
    Evaluation(_SWIN, _SQUASH, "configs/swin/*_384_*.yaml: TEST.CROP False", least_size=384),
    Evaluation(_SWIN, PreprocessConfiguration(crop_pct=0.875), "data/build.py: 256 / 224 of the size"),
    Evaluation(_PVT, PreprocessConfiguration(crop_pct=0.875), "datasets.py: 256 / 224 of the size"),
    Evaluation(_CVT, _SQUASH, "experiments/imagenet/cvt/*-384x384.yaml: TEST.CENTER_CROP False", least_size=384),
    Evaluation(_CVT, PreprocessConfiguration(crop_pct=0.875), "lib/dataset/transformas/build.py: the size / 0.875"),
    Evaluation(_CSWIN, PreprocessConfiguration(crop_pct=1.0), "models/cswin.py: crop_pct of cswin_384", least_size=384),
    Evaluation(_CSWIN, PreprocessConfiguration(crop_pct=0.9), "models/cswin.py: crop_pct of cswin_224"),
)


def evaluation(layout: Layout, configuration: ModelConfiguration) -> Evaluation:
    """That of the authors; this project's preprocessing where there is none, as for a model that is not published."""
    for row in EVALUATIONS:
        if layout.name in row.layouts and row.variant in (None, configuration.variant) \
                and configuration.image_size >= row.least_size:
            return row
    return Evaluation((layout.name,), PreprocessConfiguration(), "this project's default")


def rename(tensors: Mapping[str, Tensor], layout: Layout) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors under our names, and the names that the layout does not know."""
    leaf = r"(\.(?:weight|bias|running_mean|running_var))?"
    rules = [(re.compile(re.escape(theirs).replace(r"\{block\}", r"(\d+)") + leaf), ours)
             for theirs, ours in layout.table().items()]
    parts: dict[str, dict[int, Tensor]] = defaultdict(dict)
    unknown = []
    for name, value in tensors.items():
        if is_buffer(name):
            continue
        for pattern, ours in rules:
            match = pattern.fullmatch(name)
            if match is not None:
                block, rest = match.groups()[:-1], match.groups()[-1] or ""
                ours = ours.replace("{block}", "".join(block))
                part = re.fullmatch(r"(.*)\[(\d)\]", ours)
                parts[(part[1] if part else ours) + rest][int(part[2]) if part else 0] = value
                break
        else:
            unknown.append(name)
    return {name: torch.cat([values[index] for index in sorted(values)]) if len(values) > 1 else values[0]
            for name, values in parts.items() if 0 in values}, unknown


def renamed_back(tensors: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Tensors of ours under the layout's names: the inverse of `rename`."""
    rows = [(theirs, *re.fullmatch(r"([^[]*)(?:\[(\d)\])?", ours).groups())
            for theirs, ours in layout.table().items()]
    parts = Counter(ours for _, ours, _ in rows)
    result = {}
    for theirs, ours, part in rows:
        pattern = re.compile(re.escape(ours).replace(r"\{block\}", r"(?P<block>\d+)") + r"(?P<leaf>\.[a-z_]+)?")
        for name, value in tensors.items():
            match = pattern.fullmatch(name)
            if match is not None and not is_buffer(name):
                block = match.groupdict().get("block", "")
                value = value.chunk(parts[ours])[int(part)].clone() if part else value
                result[theirs.replace("{block}", block) + (match["leaf"] or "")] = value
    return result


def recognise(tensors: Mapping[str, Tensor], source: str) -> tuple[Layout, dict[str, Tensor]]:
    """The layout of a checkpoint, and its tensors under our names."""
    attempts = [(layout, *rename(tensors, layout)) for layout in LAYOUTS]
    for layout, renamed, unknown in attempts:
        if renamed and not unknown:
            return layout, renamed
    layout, _, unknown = min(attempts, key=lambda attempt: len(attempt[2]))
    if len(unknown) > len(tensors) // 2:
        raise CheckpointError(f"{source}: the tensors have the names of no known layout "
                              f"({', '.join(layout.name for layout in LAYOUTS)}); the first: "
                              f"{', '.join(list(tensors)[:4])}")
    raise CheckpointError(f"{source} looks like {layout.name}, but for {len(unknown)} tensors: "
                          f"{', '.join(unknown[:8])}{', …' if len(unknown) > 8 else ''}")


def configuration_of_tensors(renamed: Mapping[str, Tensor], layout: Layout, source: str,
                             image_size: int | None = None,
                             num_heads: tuple[int, ...] | None = None) -> ModelConfiguration:
    """What the shapes say about a backbone; the rest is as its authors have it, or as given."""
    def shape(name: str) -> torch.Size:
        if name not in renamed:
            raise CheckpointError(f"{source}, {layout.name}: missing tensor {name} (in this project's naming)")
        return renamed[name].shape

    stages = range(layout.stages)
    dims = tuple(shape(f"stages.{stage}.blocks.0.norm1.weight")[0] for stage in stages)
    depths = tuple(len({name.split(".")[3] for name in renamed if name.startswith(f"stages.{stage}.blocks.")})
                   for stage in stages)
    ratios = tuple(shape(f"stages.{stage}.blocks.0.mlp.fc1.weight")[0] // dims[stage] for stage in stages)
    embeddings = {"swin": ("patch", "merge", "merge", "merge"), "pvt": ("patch",) * 4, "cvt": ("conv",) * 3,
                  "cswin": ("conv",) * 4}[layout.block]
    heads, window = tuple(dim // 64 for dim in dims), 7
    if layout.block == "swin":
        tables = [shape(f"stages.{stage}.blocks.0.attn.relative_position_bias_table") for stage in stages]
        heads, window = tuple(table[1] for table in tables), (round(tables[0][0] ** 0.5) + 1) // 2
    elif layout.block == "cswin":
        heads = {64: (2, 4, 8, 16), 96: (4, 8, 16, 32), 144: (6, 12, 24, 24)}.get(dims[0], tuple(d // 32 for d in dims))
    if layout.block == "pvt" and image_size is None:
        image_size = 4 * round(shape("pos_embed1")[1] ** 0.5)
    try:
        configuration = ModelConfiguration(
            dims=dims, depths=depths, num_heads=num_heads or heads, mlp_ratios=ratios, block=layout.block,
            embeddings=embeddings, window_size=window, image_size=image_size or 224,
            num_labels=shape("head.bias")[0], **layout.computes)
        configuration.validate(source)
    except ConfigurationError as error:
        raise CheckpointError(f"{source}, {layout.name}: {error}") from None
    for row in VARIANTS.values():
        named = dataclasses.replace(configuration, variant=row.name)
        shared = {key: getattr(named, key) for key in ("window_size", "image_size", "num_labels", "hidden_act",
                                                       "layer_norm_eps")}
        if dataclasses.replace(row.configuration, **shared) == named:
            configuration = named
            break
    return dataclasses.replace(configuration, preprocess=evaluation(layout, configuration).preprocess)
