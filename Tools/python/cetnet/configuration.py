"""What a model is: the contents of `config.json`, and the known variants as rows of a table.

The published counts stand beside each variant; `cetnet.costs` must reproduce the project's own figures exactly.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCKS = ("lewin", "swin", "pvt", "cvt", "cswin")
EMBEDDINGS = ("ce", "conv", "patch", "merge")
CE_UNITS = ("mbconv", "pure-mb", "resnet", "se-resnet", "dense", "shuffle", "ghost")
# Channels of a stage must divide by this for its unit.
UNIT_DIVISORS = {"se-resnet": 16, "dense": 8, "shuffle": 2, "ghost": 2}
CE_LAYERS = (1, 3, 5, 7)
INTERPOLATIONS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
CROP_MODES = ("center", "squash")
CROP_ROUNDINGS = ("even", "down")
ACTIVATIONS = ("gelu", "quick_gelu")


class ConfigurationError(ValueError):
    """A configuration that cannot be read or makes no sense. The message names the source and the key."""


@dataclass(frozen=True)
class PreprocessConfiguration:
    """How an image becomes the network's input: resize, centre crop, (x/255 − mean)/std.

    `crop_mode` "center" resizes the shorter side to ⌊image_size / crop_pct⌋, "squash" both sides, whatever the aspect.
    `crop_rounding` is what becomes of half a pixel where the margin is odd: "even" rounds it to even as torchvision
    does, "down" drops it as Transformers does.
    """

    interpolation: str = "bicubic"
    crop_pct: float = 0.9
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    crop_mode: str = "center"
    crop_rounding: str = "even"


@dataclass(frozen=True)
class ModelConfiguration:
    """All keys of `config.json`. Sequences have one entry per stage."""

    dims: tuple[int, ...]
    depths: tuple[int, ...]
    num_heads: tuple[int, ...]
    variant: str | None = None
    mlp_ratios: tuple[int, ...] = ()  # 4 in every stage
    block: str = "lewin"
    embeddings: tuple[str, ...] = ()  # "ce" in every stage
    stem_channels: tuple[int, ...] = (24, 48)
    ce_layers: int = 5
    ce_unit: str = "mbconv"
    window_size: int = 7
    image_size: int = 224
    num_labels: int = 1000
    labels: tuple[str, ...] | None = None
    hidden_act: str = ""  # the block's
    layer_norm_eps: float | None = None  # of every norm; as the block's authors have it
    preprocess: PreprocessConfiguration = field(default_factory=PreprocessConfiguration)

    def __post_init__(self) -> None:
        defaults = {"mlp_ratios": (4,) * self.stages, "embeddings": ("ce",) * self.stages,
                    "hidden_act": "quick_gelu" if self.block == "cvt" else "gelu"}
        for key, value in defaults.items():
            object.__setattr__(self, key, getattr(self, key) or value)

    @property
    def stages(self) -> int:
        return len(self.dims)

    @property
    def has_position_embeddings(self) -> bool:
        """PVT's; a convolutional embedding makes them unnecessary."""
        return self.block == "pvt" and all(embedding == "patch" for embedding in self.embeddings)

    @property
    def has_class_token(self) -> bool:
        """In the last stage of CvT, with or without CE, and of plain PVT."""
        return self.block == "cvt" or self.has_position_embeddings

    @property
    def patch_sides(self) -> tuple[int, ...]:
        """Sides of every stage's map of patches for an image of the configuration's size."""
        return tuple(self.image_size // 4 // 2 ** stage for stage in range(self.stages))

    @staticmethod
    def for_variant(name: str, **changes: Any) -> ModelConfiguration:
        """The configuration of a known variant, with some fields changed."""
        return dataclasses.replace(variant(name).configuration, **changes)

    @staticmethod
    def from_dict(values: dict[str, Any], source: str = "config.json") -> ModelConfiguration:
        """Reads the keys of `config.json`. `variant` sets every default; what else is present replaces it."""
        if not isinstance(values, dict):
            raise ConfigurationError(f"{source}: expected a JSON object, found {type(values).__name__}")
        model_type = values.get("model_type")
        if model_type != "cetnet":
            raise ConfigurationError(f'{source}: "model_type" must be "cetnet", found {json.dumps(model_type)}')
        fields: dict[str, Any] = {}
        name = values.get("variant")
        if name is not None:
            try:
                base = variant(name).configuration
            except ConfigurationError as error:
                raise ConfigurationError(f"{source}: {error}") from None
            fields = {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
        for key in ("dims", "depths", "num_heads", "mlp_ratios", "stem_channels"):
            if key in values:
                fields[key] = _integers(values[key], key, source)
        for key in ("ce_layers", "window_size", "image_size", "num_labels"):
            if key in values:
                fields[key] = _integer(values[key], key, source)
        for key, known in (("block", BLOCKS), ("ce_unit", CE_UNITS), ("hidden_act", ACTIVATIONS)):
            if key in values:
                fields[key] = _choice(values[key], known, key, source)
        if "layer_norm_eps" in values:
            fields["layer_norm_eps"] = _number(values["layer_norm_eps"], "layer_norm_eps", source)
        if "block" in values and "hidden_act" not in values:
            fields.pop("hidden_act", None)  # a block chosen here brings its own with it
        if "embeddings" in values:
            if not isinstance(values["embeddings"], list):
                raise ConfigurationError(f'{source}: "embeddings" must be a list, found {values["embeddings"]!r}')
            fields["embeddings"] = tuple(_choice(v, EMBEDDINGS, "embeddings", source) for v in values["embeddings"])
        if "preprocess" in values:
            fields["preprocess"] = _preprocess(
                values["preprocess"], fields.get("preprocess", PreprocessConfiguration()), source)
        for key in ("dims", "depths", "num_heads"):
            if key not in fields:
                raise ConfigurationError(f'{source}: neither "variant" nor "{key}" is given')
        if "id2label" in values:
            fields.setdefault("num_labels", len(values["id2label"]))
            fields["labels"] = _labels(values["id2label"], fields["num_labels"], source)
        configuration = ModelConfiguration(**fields)
        configuration.validate(source)
        return configuration

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
        values: dict[str, Any] = {"model_type": "cetnet"}
        if self.variant is not None:
            values["variant"] = self.variant
        for key in ("dims", "depths", "num_heads", "mlp_ratios", "block", "embeddings", "stem_channels", "ce_layers",
                    "ce_unit", "window_size", "image_size", "num_labels"):
            value = getattr(self, key)
            values[key] = list(value) if isinstance(value, tuple) else value
        if self.labels is not None:
            values["id2label"] = {str(index): label for index, label in enumerate(self.labels)}
        values["hidden_act"] = self.hidden_act
        if self.layer_norm_eps is not None:
            values["layer_norm_eps"] = self.layer_norm_eps
        values["preprocess"] = {
            "interpolation": self.preprocess.interpolation, "crop_pct": self.preprocess.crop_pct,
            "mean": list(self.preprocess.mean), "std": list(self.preprocess.std)}
        for key in ("crop_mode", "crop_rounding"):
            if getattr(self.preprocess, key) != getattr(PreprocessConfiguration(), key):
                values["preprocess"][key] = getattr(self.preprocess, key)
        return values

    def to_json(self) -> str:
        """One line per key."""
        lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
                 for key, value in self.to_dict().items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def validate(self, source: str = "configuration") -> None:
        """Raises `ConfigurationError` if the values do not describe a model."""
        def require(condition: bool, message: str) -> None:
            if not condition:
                raise ConfigurationError(f"{source}: {message}")

        for key in ("depths", "num_heads", "mlp_ratios", "embeddings"):
            found = len(getattr(self, key))
            require(found == self.stages, f'"{key}" must have {self.stages} entries as "dims" has, found {found}')
        stages = 3 if self.block == "cvt" else 4
        require(self.stages == stages, f'block "{self.block}" has {stages} stages; "dims" has {self.stages}')
        for key in ("dims", "depths", "num_heads", "mlp_ratios", "stem_channels"):
            require(min(getattr(self, key)) >= 1, f'"{key}" must be positive, found {list(getattr(self, key))}')
        for key in ("window_size", "image_size", "num_labels"):
            require(getattr(self, key) >= 1, f'"{key}" must be positive, found {getattr(self, key)}')
        for dim, heads in zip(self.dims, self.num_heads):
            require(dim % heads == 0,
                    f'"dims" {list(self.dims)} cannot be divided by "num_heads" {list(self.num_heads)}')
        require(self.block != "cswin" or all(heads % 2 == 0 for heads in self.num_heads[:-1]),
                f'block "cswin" needs an even number of heads in all stages but the last, found {list(self.num_heads)}')
        require(len(self.stem_channels) == 2, f'"stem_channels" must have 2 entries, found {len(self.stem_channels)}')
        require(self.ce_layers in CE_LAYERS, f'"ce_layers" must be one of {list(CE_LAYERS)}, found {self.ce_layers}')
        require(self.embeddings[0] != "merge", '"embeddings" cannot begin with "merge": there are no tokens to merge')
        require(self.ce_unit != "dense" or self.ce_layers == 5,
                f'"ce_unit" "dense" needs "ce_layers" 5, whose growth it is made of; found {self.ce_layers}')
        divisor = UNIT_DIVISORS.get(self.ce_unit, 1)
        for stage in range(1, self.stages):
            require(self.embeddings[stage] != "ce" or self.ce_layers == 1 or self.dims[stage] % divisor == 0,
                    f'"ce_unit" "{self.ce_unit}" needs "dims" that divide by {divisor}, found {list(self.dims)}')
        require(self.labels is None or len(self.labels) == self.num_labels,
                f'"id2label" has {len(self.labels or ())} labels, "num_labels" is {self.num_labels}')
        require(self.layer_norm_eps is None or 0 < self.layer_norm_eps < 1,
                f'"layer_norm_eps" must be above 0 and below 1, found {self.layer_norm_eps}')
        require(0 < self.preprocess.crop_pct <= 1,
                f'"crop_pct" must be above 0 and at most 1, found {self.preprocess.crop_pct}')
        for key in ("mean", "std"):
            found = len(getattr(self.preprocess, key))
            require(found == 3, f'"{key}" must have 3 entries, found {found}')
        require(min(self.preprocess.std) > 0, f'"std" must be positive, found {list(self.preprocess.std)}')


@dataclass(frozen=True)
class Variant:
    """A row of the table of models.

    `parameters` (millions) and `multiply_adds` (billions, at the configuration's image size) are this project's exact
    counts, rounded to the digits given; `published` is what the paper prints.
    """

    name: str
    configuration: ModelConfiguration
    parameters: str
    multiply_adds: str
    published: str


def _cetnet(name: str, width: int, depths: tuple[int, ...], stem: tuple[int, int], parameters: str,
            multiply_adds: str, published: str, **changes: Any) -> Variant:
    """Widths that double from stage to stage, heads of 32 channels."""
    dims = tuple(width * factor for factor in (1, 2, 4, 8))
    configuration = ModelConfiguration(
        variant=name, dims=dims, depths=depths, num_heads=tuple(dim // 32 for dim in dims), stem_channels=stem,
        **changes)
    return Variant(name, configuration, parameters, multiply_adds, published)


def _study(suffix: str, parameters: str, multiply_adds: str, published: str = "", **changes: Any) -> Variant:
    """CETNet-T with another convolutional embedding, for the paper's studies of it."""
    return _cetnet(f"cetnet-t-{suffix}", 64, (2, 2, 16, 2), (24, 48), parameters, multiply_adds, published, **changes)


def _first_stages(count: int) -> tuple[str, ...]:
    """The convolutional embedding in the first stages only; patch embedding and patch merging in the others."""
    return tuple("ce" if stage < count else "patch" if stage == 0 else "merge" for stage in range(4))


def _backbone(name: str, block: str, plain: tuple[str, ...], stem: tuple[int, int] | None, parameters: str,
              multiply_adds: str, published: str, **values: Any) -> Variant:
    """A backbone with its own embeddings, `plain`, or its form with the convolutional embedding if `stem` is given."""
    values |= {"embeddings": plain} if stem is None else {"stem_channels": stem}
    return Variant(name, ModelConfiguration(variant=name, block=block, **values), parameters, multiply_adds, published)


def _swin(name: str, width: int, depths: tuple[int, ...], stem: tuple[int, int] | None, *figures: str) -> Variant:
    dims = tuple(width * factor for factor in (1, 2, 4, 8))
    return _backbone(name, "swin", ("patch", "merge", "merge", "merge"), stem, *figures, dims=dims, depths=depths,
                     num_heads=tuple(dim // 32 for dim in dims))


def _cvt(name: str, depths: tuple[int, ...], stem: tuple[int, int] | None, *figures: str) -> Variant:
    return _backbone(name, "cvt", ("conv", "conv", "conv"), stem, *figures, dims=(64, 192, 384), depths=depths,
                     num_heads=(1, 3, 6))


def _pvt(name: str, depths: tuple[int, ...], stem: tuple[int, int] | None, *figures: str) -> Variant:
    return _backbone(name, "pvt", ("patch", "patch", "patch", "patch"), stem, *figures, dims=(64, 128, 320, 512),
                     depths=depths, num_heads=(1, 2, 5, 8), mlp_ratios=(8, 8, 4, 4))


def _cswin(name: str, width: int, depths: tuple[int, ...], stem: tuple[int, int] | None, *figures: str) -> Variant:
    heads = width // 32 if width == 64 else width // 24
    return _backbone(name, "cswin", ("conv", "conv", "conv", "conv"), stem, *figures,
                     dims=tuple(width * factor for factor in (1, 2, 4, 8)), depths=depths,
                     num_heads=tuple(heads * factor for factor in (1, 2, 4, 8)))


VARIANTS: dict[str, Variant] = {row.name: row for row in (
    _cetnet("cetnet-t", 64, (2, 2, 16, 2), (24, 48), "23.442", "4.246", "23.4 M, 4.3 G, top-1 82.7"),
    _cetnet("cetnet-s", 64, (2, 6, 28, 2), (24, 48), "33.767", "6.820", "34 M, 6.8 G, top-1 83.4"),
    _cetnet("cetnet-b", 96, (2, 6, 28, 2), (36, 72), "75.343", "15.135", "75 M, 15.1 G, top-1 83.8"),
    # How many layers: the study rises from 81.8 to 82.6, seven about as good as five.
    _study("ce1", "21.596", "3.750", ce_layers=1),
    _study("ce3", "21.987", "3.879", ce_layers=3),
    _study("ce7", "24.896", "4.613", ce_layers=7),
    # Which unit; the ResNet units stay below the others.
    _study("pure-mb", "23.393", "4.069", "top-1 82.8", ce_unit="pure-mb"),
    _study("dense", "23.383", "4.180", "top-1 82.5", ce_unit="dense"),
    _study("shuffle", "23.404", "4.244", "top-1 82.4", ce_unit="shuffle"),
    _study("ghost", "23.386", "4.215", "top-1 82.6", ce_unit="ghost"),
    _study("resnet", "23.698", "4.236", ce_unit="resnet"),
    _study("se-resnet", "23.918", "4.237", ce_unit="se-resnet"),
    # In which stages.
    _study("stages0", "20.731", "3.634", embeddings=_first_stages(0)),
    _study("stages1", "20.796", "3.891", embeddings=_first_stages(1)),
    _study("stages2", "20.928", "4.012", embeddings=_first_stages(2)),
    _study("stages3", "21.438", "4.129", embeddings=_first_stages(3)),
    # Other backbones, and what the convolutional embedding makes of them.
    _swin("swin-t", 96, (2, 2, 6, 2), None, "28.288", "4.491", "top-1 81.3"),
    _swin("swin-s", 96, (2, 2, 18, 2), None, "49.606", "8.741", "top-1 83.0"),
    _swin("swin-b", 128, (2, 2, 18, 2), None, "87.768", "15.431", "top-1 83.5"),
    _swin("ce-swin-t", 64, (2, 2, 16, 2), (24, 48), "23.387", "4.233", "23.4 M, 4.3 G, top-1 82.5"),
    _swin("ce-swin-s", 96, (2, 2, 14, 2), (36, 72), "48.552", "8.697", "48.2 M, 8.8 G, top-1 83.6"),
    _swin("ce-swin-b", 128, (2, 2, 14, 2), (48, 96), "85.865", "15.361", "85.2 M, 15.5 G, top-1 84.0"),
    _cvt("cvt-13", (1, 2, 10), None, "19.997", "4.566", "top-1 81.6"),
    _cvt("ce-cvt-13", (1, 1, 10), (16, 32), "20.564", "4.682", "20.0 M, 4.4 G, top-1 82.1"),
    _pvt("pvt-s", (3, 4, 6, 3), None, "24.486", "3.816", "top-1 79.8"),
    _pvt("ce-pvt-s", (2, 3, 6, 2), (16, 32), "22.973", "3.664", "22.6 M, 3.7 G, top-1 81.1"),
    _cswin("cswin-t", 64, (1, 2, 21, 1), None, "22.321", "4.324", "top-1 82.7"),
    _cswin("ce-cswin-t", 64, (1, 2, 18, 1), (16, 32), "21.752", "4.182", "21.6 M, 4.2 G, top-1 83.6"),
    _cswin("ce-cswin-s", 64, (2, 4, 29, 2), (16, 32), "34.075", "6.659", "33.9 M, 6.6 G, top-1 84.1"),
    _cswin("ce-cswin-b", 96, (2, 4, 29, 2), (24, 48), "76.073", "14.672", "75.8 M, 14.7 G, top-1 84.7"),
)}


def variant(name: str) -> Variant:
    """A known variant by name."""
    if name not in VARIANTS:
        raise ConfigurationError(f"unknown variant {name!r}; known: {', '.join(VARIANTS)}")
    return VARIANTS[name]


def _integer(value: Any, key: str, source: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f'{source}: "{key}" must hold whole numbers, found {json.dumps(value)}')
    return value


def _integers(value: Any, key: str, source: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise ConfigurationError(f'{source}: "{key}" must be a list of whole numbers, found {json.dumps(value)}')
    return tuple(_integer(item, key, source) for item in value)


def _number(value: Any, key: str, source: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f'{source}: "{key}" must hold numbers, found {json.dumps(value)}')
    return float(value)


def _choice(value: Any, known: tuple[str, ...], key: str, source: str) -> str:
    if value not in known:
        raise ConfigurationError(f'{source}: "{key}" {json.dumps(value)} is not one of {", ".join(known)}')
    return value


def _preprocess(value: Any, base: PreprocessConfiguration, source: str) -> PreprocessConfiguration:
    if not isinstance(value, dict):
        raise ConfigurationError(f'{source}: "preprocess" must be an object, found {json.dumps(value)}')
    changes: dict[str, Any] = {}
    for key, known in (("interpolation", INTERPOLATIONS), ("crop_mode", CROP_MODES), ("crop_rounding", CROP_ROUNDINGS)):
        if key in value:
            changes[key] = _choice(value[key], known, key, source)
    if "crop_pct" in value:
        changes["crop_pct"] = _number(value["crop_pct"], "crop_pct", source)
    for key in ("mean", "std"):
        if key in value:
            if not isinstance(value[key], list):
                raise ConfigurationError(f'{source}: "{key}" must be a list, found {json.dumps(value[key])}')
            changes[key] = tuple(_number(item, key, source) for item in value[key])
    return dataclasses.replace(base, **changes)


def _labels(value: Any, count: int, source: str) -> tuple[str, ...]:
    if not isinstance(value, dict):
        raise ConfigurationError(f'{source}: "id2label" must be an object, found {json.dumps(value)}')
    expected = [str(index) for index in range(count)]
    if set(value) != set(expected):
        raise ConfigurationError(
            f'{source}: the keys of "id2label" must be 0 to {count - 1} ("num_labels" {count}); '
            f'found {len(value)} keys')
    return tuple(str(value[key]) for key in expected)
