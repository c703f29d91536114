"""Checkpoints of others: which tensor of theirs is which of ours, one table per layout, and how their authors evaluate.

A row of `Layout.table` maps a module (or parameter) of the checkpoint to ours; `{block}` stands for the number of a
block inside its stage, and `[n]` says that the tensor is the n-th part of ours, along the first axis.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .checkpoint import CheckpointError
from .configuration import (
    BLOCK_KINDS, SEGMENTATION, ConfigurationError, HeadConfiguration, ModelConfiguration, PreprocessConfiguration)
from .variants import SOURCES, VARIANTS

_TABLES = json.loads((SOURCES / "PublicCheckpoints/Resources/layouts.json").read_bytes())


def is_buffer(name: str) -> bool:
    """Computed, not learned."""
    return name.rsplit(".", 1)[-1] in _TABLES["computed"]


@dataclass(frozen=True)
class Layout:
    """A row of `layouts.json`, which `cetnet` reads too: our names and, for each, theirs or those of its parts.

    `modules` are outside the blocks, `renamed` inside of one, where those in `same` have one name on both sides;
    `blocks` is the path of a stage's blocks. `{n}` stands for a stage, `{n+1}`, `{n-1}`, `{2n}`, `{2n+1}` for what they
    say; a name without them goes before one with. `computes` is what a port computes otherwise than the authors of its
    weights. Tensors whose names begin as in `ignored` nobody needs. With `merging` "unfold" the four neighbours that
    patch merging joins are stored channel by channel, rows before columns, as torch.nn.Unfold has them.
    """

    name: str
    block: str
    modules: Mapping[str, str]
    blocks: str
    same: list[str] = field(default_factory=list)
    renamed: Mapping[str, str | list[str]] = field(default_factory=dict)
    computes: Mapping[str, Any] = field(default_factory=dict)
    task: str = "classification"
    ignored: list[str] = field(default_factory=list)
    merging: str = ""

    @property
    def prefix(self) -> str:
        """Of our names of a backbone's tensors."""
        return "" if self.task == "classification" else "backbone."

    @property
    def stages(self) -> int:
        return len(BLOCK_KINDS[self.block].embeddings)

    def table(self) -> dict[str, str]:
        modules: dict[str, str] = {}
        rows: dict[str, str] = {}
        for stage in range(self.stages):
            modules |= {_of_stage(ours, stage): _of_stage(theirs, stage) for ours, theirs in self.modules.items()}
            path = _of_stage(self.blocks, stage)
            for ours, theirs in ({name: name for name in self.same} | dict(self.renamed)).items():
                parts = {theirs: ""} if isinstance(theirs, str) else \
                    {part: f"[{index}]" for index, part in enumerate(theirs)}
                rows |= {f"{path}.{{block}}.{name}": f"{self.prefix}stages.{stage}.blocks.{{block}}.{ours}{part}"
                         for name, part in parts.items()}
        modules |= {ours: theirs for ours, theirs in self.modules.items() if "{" not in ours}
        return rows | {theirs: ours for ours, theirs in modules.items()}


def _of_stage(text: str, n: int) -> str:
    for form, value in (("{n}", n), ("{n-1}", n - 1), ("{n+1}", n + 1), ("{2n}", 2 * n), ("{2n+1}", 2 * n + 1)):
        text = text.replace(form, str(value))
    return text


LAYOUTS = tuple(Layout(**row) for row in _TABLES["layouts"])


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
        if is_buffer(name) or name.startswith(tuple(layout.ignored)):
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
    renamed = {name: torch.cat([values[index] for index in sorted(values)]) if len(values) > 1 else values[0]
               for name, values in parts.items() if 0 in values}
    if layout.merging == "unfold":
        renamed = {name: _merged_by_columns(value) if re.search(r"embed\.(reduction\.weight|norm\.\w+)$", name)
                   and ".stages.0." not in name else value for name, value in renamed.items()}
    return renamed, unknown


def _merged_by_columns(value: Tensor) -> Tensor:
    """The last axis from (channel, row, column) of the neighbours to (column, row, channel)."""
    neighbours = value.unflatten(-1, (value.shape[-1] // 4, 2, 2))
    return neighbours.movedim((-3, -2, -1), (-1, -2, -3)).flatten(-3).contiguous()


def _merged_by_channels(value: Tensor) -> Tensor:
    """The inverse."""
    neighbours = value.unflatten(-1, (2, 2, value.shape[-1] // 4))
    return neighbours.movedim((-3, -2, -1), (-1, -2, -3)).flatten(-3).contiguous()


def renamed_back(tensors: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Tensors of ours under the layout's names: the inverse of `rename`."""
    rows = [(theirs, *re.fullmatch(r"([^[]*)(?:\[(\d)\])?", ours).groups())
            for theirs, ours in layout.table().items()]
    parts = Counter(ours for _, ours, _ in rows)
    result = {}
    if layout.merging == "unfold":
        tensors = {name: _merged_by_channels(value) if re.search(r"embed\.(reduction\.weight|norm\.\w+)$", name)
                   and ".stages.0." not in name else value for name, value in tensors.items()}
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
    if any(name.startswith(("stages.0.embed.", "backbone.stages.0.embed.")) for name in tensors):
        raise CheckpointError(f"{source}: the tensors have this project's own names; export.py makes a model of them")
    attempts = [(layout, *rename(tensors, layout)) for layout in LAYOUTS]
    for layout, renamed, unknown in attempts:
        if renamed and not unknown:
            return layout, renamed
    layout, _, unknown = min(attempts, key=lambda attempt: len(attempt[2]))
    if len(unknown) > len(tensors) // 2:
        raise CheckpointError(f"{source}: the tensors have the names of no known layout "
                              f"({', '.join(layout.name for layout in LAYOUTS)}); the first: "
                              f"{', '.join(list(tensors)[:4])}")
    second = next((name for name in tensors if name.endswith(".logit_scale")), None)
    if second is not None and layout.block == "swin":
        raise CheckpointError(f"{source} looks like {layout.name} V2, the second version, which is not built here "
                              f"({second})")
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

    stages, dense = range(layout.stages), layout.task == "segmentation"
    paths = [f"{layout.prefix}stages.{stage}.blocks." for stage in stages]
    dims = tuple(shape(f"{path}0.norm1.weight")[0] for path in paths)
    depths = tuple(len({name.removeprefix(path).split(".")[0] for name in renamed if name.startswith(path)})
                   for path in paths)
    ratios = tuple(shape(f"{path}0.mlp.fc1.weight")[0] // dims[stage] for stage, path in enumerate(paths))
    heads, window = tuple(dim // 64 for dim in dims), 7
    if layout.block == "swin":
        tables = [shape(f"{path}0.attn.relative_position_bias_table") for path in paths]
        heads, window = tuple(table[1] for table in tables), (round(tables[0][0] ** 0.5) + 1) // 2
    elif layout.block == "cswin":
        heads = {64: (2, 4, 8, 16), 96: (4, 8, 16, 32), 144: (6, 12, 24, 24)}.get(dims[0], tuple(d // 32 for d in dims))
    if layout.block == "pvt" and image_size is None:
        image_size = 4 * round(shape("pos_embed1")[1] ** 0.5)
    head: dict[str, Any] = {}
    if dense:
        head = SEGMENTATION | {"task": "segmentation", "head": HeadConfiguration(
            hidden_size=shape("decode_head.fpn_bottleneck.bn.weight")[0])}
        image_size = image_size or head.pop("image_size")
        head.pop("image_size", None)
    try:
        configuration = ModelConfiguration(
            dims=dims, depths=depths, num_heads=num_heads or heads, mlp_ratios=ratios, block=layout.block,
            embeddings=BLOCK_KINDS[layout.block].embeddings, window_size=window, image_size=image_size or 224,
            num_labels=shape("decode_head.conv_seg.bias" if dense else "head.bias")[0], **head, **layout.computes)
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
    if dense:
        return configuration
    return dataclasses.replace(configuration, preprocess=evaluation(layout, configuration).preprocess)
