"""Models on disk as `cetnet` takes them: this project's, and those of Transformers, timm and torchvision."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from .checkpoint import CONFIG_NAME, CheckpointError, load_weights, read_tensors, read_weights
from .configuration import ConfigurationError, ModelConfiguration
from .layouts import configuration_of_tensors, recognise
from .model import CETNet
from .segmentation import SegmentationModel, build


def load_any(path: str | Path) -> CETNet | SegmentationModel:
    """Any model that the engine takes, ready for inference, except a backbone without classifier.

    Of a public checkpoint the tensors say what the model is, and the configuration what no shape tells: heads,
    activation, epsilon and the size of the images. How images are prepared is left to `cetnet`.
    """
    path = Path(path)
    if path.is_dir():
        source = path / CONFIG_NAME
        try:
            text = source.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{source}: {error.strerror}") from None
        tensors, weights = read_weights(path)
    else:
        tensors, metadata = read_tensors(path)
        if "config" not in metadata:
            raise CheckpointError(f'{path}: no "config" in the metadata; a single-file model must carry it')
        source, text, weights = f"{path}, metadata", metadata["config"], str(path)
    tensors = {name: value.float() for name, value in tensors.items()}
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{source}: not valid JSON: {error}") from None
    if not isinstance(values, dict) or "architecture" not in values and values.get("model_type") == "cetnet":
        configuration = ModelConfiguration.from_json(text, str(source))
        own = ("backbone.stages.0.embed.", "decode_head.") if configuration.is_dense else ("stages.", "head.")
        if not all(any(name.startswith(start) for name in tensors) for start in own):
            tensors = recognise(tensors, weights)[1]
        tensors = {name: value for name, value in tensors.items() if not name.startswith("auxiliary_head.")}
    else:
        layout, tensors = recognise(tensors, weights)
        known = _said(values)
        if path.is_dir() and (path / "preprocessor_config.json").exists():
            known |= _size_of(path / "preprocessor_config.json")
        computes = {key: known.pop(key) for key in ("hidden_act", "layer_norm_eps") if key in known}
        layout = dataclasses.replace(layout, computes=layout.computes | computes)
        configuration = configuration_of_tensors(tensors, layout, weights, **known)
    model = build(configuration)
    load_weights(model, tensors, weights)
    return model.eval()


def _size_of(path: Path) -> dict[str, Any]:
    """The size that an image processor of Transformers gives images."""
    try:
        values = json.loads(path.read_bytes())
        size = values.get("crop_size") if values.get("do_center_crop") else values.get("size")
        size = size.get("height", size.get("shortest_edge")) if isinstance(size, dict) else size
        return {"image_size": int(size)} if size else {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """What the configuration of a package says that the tensors' shapes do not."""
    if values.get("model_type") == "upernet":
        return _said(values.get("backbone_config") or {}) | {"image_size": 512}
    heads = values.get("num_heads", values.get("num_attention_heads"))
    data = values.get("pretrained_cfg") or values
    name = re.search(r"_(\d+)(?:\.|$)", str(values.get("architecture", "")))
    size = data.get("input_size", [0, 0, int(name[1]) if name else 0])[-1] or values.get("image_size")
    found = {"num_heads": tuple(heads) if heads else None, "image_size": size}
    if values.get("model_type") == "pvt":
        found["layer_norm_eps"] = values.get("layer_norm_eps", 1e-6)
    if values.get("model_type") in ("pvt", "swin") and "hidden_act" in values:
        found["hidden_act"] = values["hidden_act"]
    return {key: value for key, value in found.items() if value}
