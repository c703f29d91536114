"""Checkpoints of others: every layout recognised, converted and computed alike; what fits none is refused."""

import dataclasses

import pytest
import torch
from test_backbones import MODELS
from test_files import script

from cetnet.checkpoint import CheckpointError, load_model, load_weights, read_tensors
from cetnet.configuration import ModelConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.layouts import LAYOUTS, configuration_of_tensors, is_buffer, recognise, rename
from cetnet.model import CETNet

# Their heads have 64 channels, or 32 in Swin and CSWin, where it follows from no shape.
SIZES = {"pvt": dict(dims=(64, 64, 128, 128), num_heads=(1, 1, 2, 2), image_size=64),
         "cvt": dict(dims=(64, 128, 128), num_heads=(1, 2, 2), hidden_act="gelu"),
         "cswin": dict(dims=(64, 64, 128, 64), num_heads=(2, 4, 8, 16)), "swin": dict(window_size=5)}


def checkpoint(layout):
    """A model, and its tensors under the names of the layout."""
    changes = SIZES[layout.block] | ({"hidden_act": "quick_gelu"} if layout.name == "the authors' CvT" else {})
    configuration = dataclasses.replace(MODELS[layout.block], **changes)
    model = randomize(CETNet(configuration), seed=1)
    tensors = {}
    for theirs, ours in layout.table().items():
        ours, _, part = ours.rstrip("]").partition("[")
        for name, value in model.state_dict().items():
            if is_buffer(name):
                continue
            words = name.split(".")
            block = words[3] if len(words) > 3 and words[2] == "blocks" else ""
            prefix = ours.replace("{block}", block)
            if name == prefix or (name.startswith(prefix + ".") and "." not in name[len(prefix) + 1:]):
                if part:
                    parts = 3 if "qkv" in name else 2
                    value = value.chunk(parts)[int(part)]
                tensors[theirs.replace("{block}", block) + name[len(prefix):]] = value
    return model, tensors


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_is_recognised(layout):
    model, tensors = checkpoint(layout)
    found, renamed = recognise(tensors | {"x.relative_position_index": torch.zeros(3)}, "x.pth")
    assert found is layout
    image_size = None if layout.block == "pvt" else model.configuration.image_size
    assert configuration_of_tensors(renamed, layout, "x.pth", image_size) == dataclasses.replace(
        model.configuration, stem_channels=(24, 48))
    expected = {name: value for name, value in model.state_dict().items() if not is_buffer(name)}
    assert set(renamed) == set(expected)
    for name, value in expected.items():
        assert torch.equal(renamed[name], value), name


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_no_layout_is_taken_for_another(layout):
    _, tensors = checkpoint(layout)
    assert [other.name for other in LAYOUTS if not rename(tensors, other)[1]] == [layout.name]


@pytest.mark.parametrize("container", [None, "model", "state_dict_ema"])
def test_conversion(tmp_path, container):
    layout = next(layout for layout in LAYOUTS if layout.name == "the authors' CSWin Transformer")
    model, tensors = checkpoint(layout)
    torch.save({container: tensors} if container else tensors, tmp_path / "x.pth")
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")
    result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "kept")
    assert result.returncode == 0 and "CSWin" in result.stdout, result.stderr
    kept, _ = read_tensors(tmp_path / "kept" / "model.safetensors")
    assert set(kept) == set(tensors) and all(torch.equal(kept[name], tensors[name]) for name in tensors)
    configuration = ModelConfiguration.from_file(tmp_path / "kept" / "config.json")
    assert configuration.block == "cswin" and configuration.num_labels == 5

    result = script("convert.py", tmp_path / "kept" / "model.safetensors", "--rename", "--labels",
                    tmp_path / "labels.txt", "--crop", 0.875, "--image-size", 96, "--output", tmp_path / "ours")
    assert result.returncode == 0, result.stderr
    ours = load_model(tmp_path / "ours")
    assert ours.configuration.labels == tuple("abcde") and ours.configuration.preprocess.crop_pct == 0.875
    assert ours.configuration.image_size == 96
    images = random_images(1, 40, 50, seed=1)
    with torch.no_grad():
        assert torch.equal(ours(images), model(images))


def test_what_fits_no_layout_is_refused(tmp_path):
    layout = next(layout for layout in LAYOUTS if layout.name == "torchvision's Swin Transformer")
    _, tensors = checkpoint(layout)
    with pytest.raises(CheckpointError, match="known layout"):
        recognise({"conv1.weight": torch.zeros(1), "fc.bias": torch.zeros(1)}, "resnet.pth")
    with pytest.raises(CheckpointError, match="torchvision's Swin.*features.1.0.attn.logit_scale"):
        recognise(tensors | {"features.1.0.attn.logit_scale": torch.zeros(1)}, "v2.pth")
    missing = {name: value for name, value in tensors.items() if name != "features.3.0.mlp.3.bias"}
    torch.save(missing, tmp_path / "x.pth")
    result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "out")
    assert result.returncode == 2 and "missing tensor stages.1.blocks.0.mlp.fc2.bias" in result.stderr
    assert not (tmp_path / "out").exists()


def test_code_is_not_run(tmp_path):
    class Stranger:
        def __reduce__(self):
            return (print, ("code ran",))
    torch.save({"model": Stranger()}, tmp_path / "x.pth")
    result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "out")
    assert result.returncode == 2 and "code ran" not in result.stdout and "Traceback" not in result.stderr
