"""What a model is: the contents of `config.json`.

A key is a field of `ModelConfiguration`: with the kind of its values, reading, writing, defaults and checks follow.
`cetnet.variants` has the table of known models.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .keys import Choice, Labels, Number, Section, Several, Text, Whole, key, keys, problems, read_keys, write_keys


class ConfigurationError(ValueError):
    """A configuration that cannot be read or makes no sense. The message names the source and the key."""


@dataclass(frozen=True)
class BlockKind:
    """What a block brings with it. Its backbone as published opens its stages with `embeddings`.

    Models have a class token or position embeddings "never", "always" or as "published", without CE. Heads are
    multiples of `head_multiples`.
    """

    embeddings: tuple[str, ...]
    hidden_act: str = "gelu"
    class_token: str = "never"
    position_embeddings: str = "never"
    head_multiples: tuple[int, ...] = (1, 1, 1, 1)


BLOCK_KINDS = {
    "lewin": BlockKind(("ce",) * 4),
    "swin": BlockKind(("patch", "merge", "merge", "merge")),
    "pvt": BlockKind(("patch",) * 4, class_token="published", position_embeddings="published"),
    "cvt": BlockKind(("conv",) * 3, hidden_act="quick_gelu", class_token="always"),
    "cswin": BlockKind(("conv",) * 4, head_multiples=(2, 2, 2, 1)),
}
EMBEDDINGS = ("ce", "conv", "patch", "merge")
INTERPOLATIONS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")


@dataclass(frozen=True)
class UnitKind:
    """What a unit asks of the convolutional embeddings made of it, which are those of all stages or of the later."""

    divisor: int = 1
    layers: int | None = None
    first_stage: int = 1


UNIT_KINDS = {"mbconv": UnitKind(), "pure-mb": UnitKind(first_stage=0), "resnet": UnitKind(), "se-resnet": UnitKind(16),
         "dense": UnitKind(8, layers=5), "shuffle": UnitKind(2), "ghost": UnitKind(2)}


@dataclass(frozen=True)
class PreprocessConfiguration:
    """How an image becomes the network's input: resize, centre crop, (x/255 − mean)/std.

    `crop_mode` "center" resizes the shorter side to ⌊image_size / crop_pct⌋, "squash" both sides, whatever the aspect.
    `crop_rounding` is what becomes of half a pixel where the margin is odd: "even" rounds it to even as torchvision
    does, "down" drops it as Transformers does.
    """

    interpolation: str = key(Choice(INTERPOLATIONS), default="bicubic")
    crop_pct: float = key(Number("from 0.1 to 1", lambda value: 0.1 <= value <= 1), default=0.9)
    mean: tuple[float, ...] = key(Several(Number("finite", math.isfinite), 3), default=(0.485, 0.456, 0.406))
    std: tuple[float, ...] = key(Several(Number("positive", lambda value: 0 < value < math.inf), 3),
                                 default=(0.229, 0.224, 0.225))
    crop_mode: str = key(Choice(("center", "squash")), default="center", silent=True)
    crop_rounding: str = key(Choice(("even", "down")), default="even", silent=True)


# What images become in a segmentation model: all of the image, squashed.
SEGMENTATION = {"image_size": 512,
                "preprocess": PreprocessConfiguration(interpolation="bilinear", crop_pct=1.0, crop_mode="squash")}


@dataclass(frozen=True)
class HeadConfiguration:
    """The head of a segmentation model: UPerNet's width and the bins on a side of its pyramid pooling."""

    type: str = key(Choice(("upernet",)), default="upernet")
    hidden_size: int = key(Whole(1, 8192), default=512)
    pool_scales: tuple[int, ...] = key(Several(Whole(1, 64)), default=(1, 2, 3, 6))


@dataclass(frozen=True, kw_only=True)
class ModelConfiguration:
    """All keys of `config.json`. Sequences have one entry per stage."""

    variant: str | None = key(Text(), default=None, silent=True)
    task: str = key(Choice(("classification", "segmentation")), default="classification", silent=True)
    # Of windows; "always" in dense models.
    shift: str | None = key(Choice(("where-larger", "always")), default=None, silent=True)
    head: HeadConfiguration = key(Section(), default_factory=HeadConfiguration)  # of a segmentation model
    dims: tuple[int, ...] = key(Several(Whole(1, 8192)))
    depths: tuple[int, ...] = key(Several(Whole(1, 512)))
    num_heads: tuple[int, ...] = key(Several(Whole(1, 8192)))
    mlp_ratios: tuple[int, ...] = key(Several(Whole(1, 64)), default=())  # 4 in every stage
    block: str = key(Choice(tuple(BLOCK_KINDS)), default="lewin")
    embeddings: tuple[str, ...] = key(Several(Choice(EMBEDDINGS)), default=())  # "ce" in every stage
    stem_channels: tuple[int, ...] = key(Several(Whole(1, 8192), 2), default=(24, 48))
    ce_layers: int = key(Whole(1, 15, odd=True), default=5)
    ce_unit: str = key(Choice(tuple(UNIT_KINDS)), default="mbconv")
    window_size: int = key(Whole(1, 32), default=7)
    image_size: int = key(Whole(32, 4096), default=224)
    num_labels: int = key(Whole(1, 1_000_000), default=1000)
    labels: tuple[str, ...] | None = key(Labels(), name="id2label", default=None, silent=True)
    hidden_act: str = key(Choice(("gelu", "quick_gelu")), default="")  # the block's
    # Of every norm; as the block's authors have it.
    layer_norm_eps: float | None = key(Number("between 0 and 1", lambda value: 0 < value < 1), default=None,
                                       silent=True)
    # What the weights of a quantised model are rounded for; such models are read, not written.
    precision: str = key(Choice(("float32", "bfloat16", "int8")), default="float32", silent=True)
    preprocess: PreprocessConfiguration = key(Section(), default_factory=PreprocessConfiguration)

    def __post_init__(self) -> None:
        defaults = {"mlp_ratios": (4,) * self.stages, "embeddings": ("ce",) * self.stages,
                    "hidden_act": BLOCK_KINDS[self.block].hidden_act if self.block in BLOCK_KINDS else ""}
        for name, value in defaults.items():
            object.__setattr__(self, name, getattr(self, name) or value)

    @property
    def stages(self) -> int:
        return len(self.dims)

    @property
    def is_dense(self) -> bool:
        """Whether every pixel gets an answer: a head reads the normalised maps of all stages."""
        return self.task != "classification"

    @property
    def always_shifts(self) -> bool:
        """Whether windows are also shifted along an axis that one window covers."""
        return (self.shift or ("always" if self.is_dense else "where-larger")) == "always"

    @property
    def has_position_embeddings(self) -> bool:
        """PVT's; a convolutional embedding makes them unnecessary."""
        return self._has(BLOCK_KINDS[self.block].position_embeddings)

    @property
    def has_class_token(self) -> bool:
        """In the last stage of CvT, with or without CE, and of plain PVT."""
        return self._has(BLOCK_KINDS[self.block].class_token)

    def _has(self, when: str) -> bool:
        return when == "always" or (when == "published" and self.embeddings == BLOCK_KINDS[self.block].embeddings)

    @property
    def patch_sides(self) -> tuple[int, ...]:
        """Sides of every stage's map of patches for an image of the configuration's size."""
        return tuple(self.image_size // 4 // 2 ** stage for stage in range(self.stages))

    @staticmethod
    def for_variant(name: str, **changes: Any) -> ModelConfiguration:
        """The configuration of a known variant, with some fields changed."""
        from .variants import variant  # which is made of configurations
        return dataclasses.replace(variant(name).configuration, **changes)

    @staticmethod
    def from_dict(values: dict[str, Any], source: str = "config.json") -> ModelConfiguration:
        """Reads the keys of `config.json`. `variant` sets every default; what else is present replaces it."""
        if not isinstance(values, dict):
            raise ConfigurationError(f"{source}: expected a JSON object, found {type(values).__name__}")
        model_type = values.get("model_type")
        if model_type != "cetnet":
            raise ConfigurationError(f'{source}: "model_type" must be "cetnet", found {json.dumps(model_type)}')
        base = None
        try:
            if values.get("variant") is not None:
                base = ModelConfiguration.for_variant(values["variant"])
            configuration = ModelConfiguration.from_keys(values, base)
        except ValueError as error:
            raise ConfigurationError(f"{source}: {error}") from None
        configuration.validate(source)
        return configuration

    @staticmethod
    def from_keys(values: dict[str, Any], base: ModelConfiguration | None = None) -> ModelConfiguration:
        """What an object says, and for the rest `base`; not validated. Raises `ValueError`."""
        if values.get("task") == "segmentation" and (base is None or base.task != "segmentation"):
            values = dict(values)
            values["preprocess"] = Section().write(SEGMENTATION["preprocess"]) | values.get("preprocess", {})
            values.setdefault("image_size", SEGMENTATION["image_size"])
        found = read_keys(ModelConfiguration, values, base)
        if "labels" in found:
            count = found.setdefault("num_labels", len(found["labels"]))
            if len(found["labels"]) != count:
                raise ValueError(f'"id2label" must have {count} labels, as "num_labels" says, '
                                 f'found {len(found["labels"])}')
        if base is not None:
            if "block" in found:
                found.setdefault("hidden_act", "")  # a block chosen here brings its own with it
            return dataclasses.replace(base, **found)
        for name in ("dims", "depths", "num_heads"):
            if name not in found:
                raise ValueError(f'neither "variant" nor "{name}" is given')
        return ModelConfiguration(**found)

    @staticmethod
    def from_json(text: str | bytes, source: str = "config.json") -> ModelConfiguration:
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{source}: not valid JSON: {error}") from None
        return ModelConfiguration.from_dict(values, source)

    @staticmethod
    def from_file(path: str | Path) -> ModelConfiguration:
        try:
            return ModelConfiguration.from_json(Path(path).read_bytes(), str(path))
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from None

    def to_dict(self) -> dict[str, Any]:
        """Every key, so that a file keeps its meaning when defaults change; but those of public models only if they say
        something."""
        values = {"model_type": "cetnet"} | write_keys(self)
        if not self.is_dense:
            del values["head"]
        return values

    def to_json(self) -> str:
        """One line per key."""
        lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
                 for name, value in self.to_dict().items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def validate(self, source: str = "configuration") -> None:
        """Raises `ConfigurationError` if the values do not describe a model."""
        problem = next(self._problems(), None)
        if problem:
            raise ConfigurationError(f"{source}: {problem}")

    def _problems(self) -> Iterator[str]:
        for name, row in keys(self):
            kind = row.metadata["kind"]
            if isinstance(kind, Several) and kind.count is None and len(getattr(self, name)) != self.stages:
                yield f'"{name}" must have {self.stages} entries as "dims" has, found {len(getattr(self, name))}'
        yield from problems(self)
        block, unit = BLOCK_KINDS[self.block], UNIT_KINDS[self.ce_unit]
        if self.stages != len(block.embeddings):
            yield f'block "{self.block}" has {len(block.embeddings)} stages; "dims" has {self.stages}'
        if any(dim % heads for dim, heads in zip(self.dims, self.num_heads)):
            yield f'"dims" {list(self.dims)} cannot be divided by "num_heads" {list(self.num_heads)}'
        if any(heads % multiple for heads, multiple in zip(self.num_heads, block.head_multiples)):
            yield (f'block "{self.block}" needs an even number of heads in all stages but the last, '
                   f'found {list(self.num_heads)}')
        if self.embeddings[0] == "merge":
            yield '"embeddings" cannot begin with "merge": there are no tokens to merge'
        if unit.layers not in (None, self.ce_layers):
            yield f'"ce_unit" "{self.ce_unit}" needs "ce_layers" {unit.layers}, found {self.ce_layers}'
        made = [dim for stage, dim in enumerate(self.dims)
                if self.embeddings[stage] == "ce" and stage >= unit.first_stage and self.ce_layers > 1]
        if not made and self.ce_unit != "mbconv":
            yield f'"ce_unit" must be "mbconv", the default, as no embedding is made of "{self.ce_unit}"'
        if any(dim % unit.divisor for dim in made):
            yield f'"ce_unit" "{self.ce_unit}" needs "dims" that divide by {unit.divisor}, found {list(self.dims)}'
        if self.is_dense and (self.stages != 4 or self.has_class_token):
            yield f'"head" "{self.head.type}" needs four maps without class token'
        if self.is_dense and (self.preprocess.crop_mode, self.preprocess.crop_pct) != ("squash", 1):
            yield '"preprocess" must be "crop_mode" "squash" and "crop_pct" 1, as every pixel gets a label'
        if self.labels is not None and len(self.labels) != self.num_labels:
            yield f'"id2label" has {len(self.labels)} labels, "num_labels" is {self.num_labels}'
