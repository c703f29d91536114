"""Reading and writing models.

A model is a directory with `config.json` and `model.safetensors`, or one `.safetensors` file whose metadata holds the
same JSON under the key `config`. Training checkpoints (`.pth`) are read with `weights_only`, so that a file from a
stranger cannot run code.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .configuration import ConfigurationError, ModelConfiguration
from .model import CETNet
from .segmentation import SegmentationModel, build

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
INDEX_SUFFIX = ".index.json"  # of a checkpoint in shards, behind the name of the whole one
ELEMENT_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class CheckpointError(ValueError):
    """A file that is no checkpoint, or does not fit the model. The message names the file and the tensors."""


def is_ignored(name: str) -> bool:
    """Tensors that PyTorch keeps for training only."""
    return name.endswith(".num_batches_tracked")


def load_weights(model: CETNet | SegmentationModel, tensors: Mapping[str, Tensor], source: str) -> None:
    """Loads tensors by name; every tensor must be there, have the right shape, and be known."""
    expected = {name: value for name, value in model.state_dict().items() if not is_ignored(name)}
    found = {name: value for name, value in tensors.items() if not is_ignored(name)}
    problems = [f"missing tensor {name}" for name in expected if name not in found]
    problems += [f"unknown tensor {name}" for name in found if name not in expected]
    problems += [
        f"tensor {name}: expected shape {list(value.shape)}, found {list(found[name].shape)}"
        for name, value in expected.items() if name in found and found[name].shape != value.shape]
    if problems:
        more = f"\n  … and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise CheckpointError(f"{source} does not fit the model:\n  " + "\n  ".join(problems[:10]) + more)
    model.load_state_dict(dict(found), strict=False)


def save_model(model: CETNet | SegmentationModel, output: str | Path, dtype: str = "F32") -> None:
    """Writes a model directory, or a single file if `output` ends in `.safetensors`."""
    output = Path(output)
    tensors = {name: value.detach().to(ELEMENT_TYPES[dtype]).contiguous()
               for name, value in model.state_dict().items() if not is_ignored(name)}
    if output.suffix == ".safetensors":
        output.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(tensors, output, {"format": "pt", "config": model.configuration.to_json()})
    else:
        output.mkdir(parents=True, exist_ok=True)
        write_tensors(tensors, output / WEIGHTS_NAME, {"format": "pt"})
        write_text(model.configuration.to_json(), output / CONFIG_NAME)


def load_model(path: str | Path) -> CETNet | SegmentationModel:
    """Reads a model directory or a single `.safetensors` file with its configuration inside, ready for inference.

    A model that `cetnet quantize` wrote computes as the Swift engine does in its precision.
    """
    path = Path(path)
    if path.is_dir():
        configuration = ModelConfiguration.from_file(path / CONFIG_NAME)
        tensors, weights = read_weights(path)
    else:
        weights = path
        tensors, metadata = read_tensors(path)
        if "config" not in metadata:
            raise CheckpointError(f'{path}: no "config" in the metadata; a single-file model must carry it')
        configuration = ModelConfiguration.from_json(metadata["config"], f"{path}, metadata")
    model = build(configuration)
    if configuration.precision != "float32":
        from .precision import load_quantized  # which builds on this module
        return load_quantized(model, tensors, str(weights)).eval()
    load_weights(model, {name: value.float() for name, value in tensors.items()}, str(weights))
    return model.eval()


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: {what_it_is(path) or _one_line(error)}") from None


def has_weights(folder: Path, name: str = WEIGHTS_NAME) -> bool:
    """Whether a folder has the file of that name, whole or in shards."""
    return (folder / name).exists() or (folder / (name + INDEX_SUFFIX)).exists()


def read_weights(folder: Path) -> tuple[dict[str, Tensor], str]:
    """All tensors of a folder's `model.safetensors`, whole or in shards, and what messages call the file."""
    if (folder / WEIGHTS_NAME).exists() or not has_weights(folder):
        return read_tensors(folder / WEIGHTS_NAME)[0], str(folder / WEIGHTS_NAME)
    index = folder / (WEIGHTS_NAME + INDEX_SUFFIX)
    return read_shards(index, lambda path: read_tensors(path)[0]), str(index)


def read_shards(index: Path, read: Callable[[Path], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """All tensors of the files that an index of Transformers names."""
    try:
        places = json.loads(index.read_bytes())["weight_map"]
        names = sorted(set(places.values()))
        if not names or any(Path(name).name != name for name in names):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CheckpointError(f'{index}: expected "weight_map" from tensors to files in the same folder') from None
    tensors: dict[str, Tensor] = {}
    for name in names:
        tensors |= {tensor: value for tensor, value in read(index.parent / name).items() if places.get(tensor) == name}
    missing = [name for name in places if name not in tensors]
    if missing:
        raise CheckpointError(f"{index.parent / places[missing[0]]}: tensor {missing[0]} is missing, which {index.name} "
                              f"promises")
    return tensors


def what_it_is(path: str | Path) -> str | None:
    """What a file is that is no checkpoint, and what to do about it; `None` for what is none of the usual mistakes."""
    try:
        with open(path, "rb") as file:
            start, size = file.read(256), os.path.getsize(path)
    except OSError:
        return None
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, which stands for the file; run `git lfs pull` in its repository"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return 'a web page; download the file itself (on the hub: "resolve" in place of "blob" in its address)'
    if start[8:9] == b"{":
        length = 8 + int.from_bytes(start[:8], "little")
        try:
            with open(path, "rb") as file:
                file.seek(8)
                header = json.loads(file.read(length - 8)) if length <= size else {}
            length += max((row["data_offsets"][1] for name, row in header.items() if name != "__metadata__"), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
            return None
        return f"cut off: its header calls for {length} bytes, found {size}; download or copy it again" \
            if size < length else None
    if start.startswith((b"PK\x03\x04", b"\x80\x02")):
        return "a checkpoint in PyTorch's own format, not safetensors; convert.py makes a model of it"
    return None


def _one_line(error: Exception) -> str:
    """The first line of a message, without codes for terminals."""
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def write_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Writes to a temporary file in the same folder, then renames."""
    with _replacing(path) as temporary:
        save_file(dict(tensors), temporary, metadata=dict(metadata))


def write_text(text: str, path: Path) -> None:
    write_bytes(text.encode("utf-8"), path)


def write_bytes(data: bytes, path: Path) -> None:
    with _replacing(path) as temporary:
        Path(temporary).write_bytes(data)


def save_training_state(state: Mapping[str, Any], path: Path) -> None:
    with _replacing(path) as temporary:
        torch.save(dict(state), temporary)


def read_training_state(path: str | Path) -> dict[str, Any]:
    """A `.pth` file, read with `weights_only`."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        stranger = re.search(r"Unsupported global: GLOBAL ([\w.]+)", str(error))
        if stranger:
            raise CheckpointError(
                f"{path}: a pickled object, {stranger[1]}, which only running its code would bring back; save the "
                f"tensors where it was made: torch.save(model.state_dict(), 'weights.pth')") from None
        raise CheckpointError(f"{path}: {what_it_is(path) or _one_line(error)}") from None
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{path}: expected a dictionary, found {type(state).__name__}")
    return dict(state)


def state_dict_of(state: Mapping[str, Any], path: str | Path,
                  keys: Iterable[str] = ("model", "state_dict", "model_state_dict", "state_dict_ema"),
                  ) -> dict[str, Tensor]:
    """The tensors of a training checkpoint: the dictionary itself or its usual entries, without `module.` prefixes."""
    for key in keys:
        if isinstance(state.get(key), Mapping):
            state = state[key]
            break
    strangers = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if strangers or not state:
        raise CheckpointError(f"{path}: no state_dict found; entries: {', '.join(map(str, list(state)[:8])) or 'none'}")
    return {name.removeprefix("module."): value for name, value in state.items()}


def configuration_of(state: Mapping[str, Any], path: str | Path) -> ModelConfiguration:
    """The configuration that `train.py` keeps inside its checkpoints."""
    if not isinstance(state.get("config"), str):
        raise ConfigurationError(f"{path} holds no configuration; name one with --variant or --config")
    return ModelConfiguration.from_json(state["config"], str(path))


class _replacing:
    """A temporary file beside `path` that takes its place when all went well."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> str:
        handle, self.temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        os.close(handle)
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            os.unlink(self.temporary)
            return
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(self.temporary, 0o666 & ~mask)
        os.replace(self.temporary, self.path)
