"""Checkpoints of others: every layout recognised, converted and computed alike; what fits none is refused."""

import dataclasses
import json
import math

import pytest
import torch
from safetensors.torch import save_file
from test_backbones import MODELS
from test_files import script

from cetnet.checkpoint import CheckpointError, load_model, read_tensors
from cetnet.commands import imagenet_labels
from cetnet.configuration import ModelConfiguration, PreprocessConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.layouts import (
    EVALUATIONS, LAYOUTS, configuration_of_tensors, crop_share, evaluation, is_buffer, recognise, rename, renamed_back)
from cetnet.loading import load_any
from cetnet.model import CETNet

# Their heads have 64 channels, or 32 in Swin and CSWin, where it follows from no shape.
SIZES = {"pvt": dict(dims=(64, 64, 128, 128), num_heads=(1, 1, 2, 2), image_size=64),
         "cvt": dict(dims=(64, 128, 128), num_heads=(1, 2, 2)),
         "cswin": dict(dims=(64, 64, 128, 64), num_heads=(2, 4, 8, 16)), "swin": dict(window_size=5)}


CLASSIFIERS = [layout for layout in LAYOUTS if layout.task == "classification"]  # others: test_segmentation.py


def named(name):
    return next(layout for layout in LAYOUTS if layout.name == name)


def checkpoint(layout, **changes):
    """A model, and its tensors under the names of the layout."""
    configuration = dataclasses.replace(MODELS[layout.block], hidden_act="", **(SIZES[layout.block] | changes))
    model = randomize(CETNet(dataclasses.replace(configuration, **layout.computes)), seed=1)
    return model, renamed_back(model.state_dict(), layout)


@pytest.mark.parametrize("layout", CLASSIFIERS, ids=lambda layout: layout.name)
def test_every_layout_is_recognised(layout):
    model, tensors = checkpoint(layout)
    found, renamed = recognise(tensors | {"x.relative_position_index": torch.zeros(3)}, "x.pth")
    assert found is layout
    image_size = None if layout.block == "pvt" else model.configuration.image_size
    assert configuration_of_tensors(renamed, layout, "x.pth", image_size) == dataclasses.replace(
        model.configuration, stem_channels=(24, 48), preprocess=evaluation(layout, model.configuration).preprocess)
    expected = {name: value for name, value in model.state_dict().items() if not is_buffer(name)}
    assert set(renamed) == set(expected)
    for name, value in expected.items():
        assert torch.equal(renamed[name], value), name


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_tables_are_one_to_one(layout):
    table = layout.table()
    assert len(set(table.values())) == len(table)


@pytest.mark.parametrize("layout", CLASSIFIERS, ids=lambda layout: layout.name)
def test_no_layout_is_taken_for_another(layout):
    _, tensors = checkpoint(layout)
    assert [other.name for other in LAYOUTS if not rename(tensors, other)[1]] == [layout.name]


@pytest.mark.parametrize("container", [None, "model", "state_dict_ema"])
def test_conversion(tmp_path, container):
    layout = named("the authors' CSWin Transformer")
    model, tensors = checkpoint(layout)
    torch.save({container: tensors} if container else tensors, tmp_path / "x.pth")
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")
    result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "kept")
    assert result.returncode == 0 and "CSWin" in result.stdout, result.stderr
    kept, _ = read_tensors(tmp_path / "kept" / "model.safetensors")
    assert set(kept) == set(tensors) and all(torch.equal(kept[name], tensors[name]) for name in tensors)
    configuration = ModelConfiguration.from_file(tmp_path / "kept" / "config.json")
    assert configuration.block == "cswin" and configuration.num_labels == 5 and configuration.labels is None
    assert configuration.preprocess.crop_pct == 0.9

    result = script("convert.py", tmp_path / "kept" / "model.safetensors", "--rename", "--labels",
                    tmp_path / "labels.txt", "--crop", 0.875, "--image-size", 96, "--output", tmp_path / "ours")
    assert result.returncode == 0, result.stderr
    ours = load_model(tmp_path / "ours")
    assert ours.configuration.labels == tuple("abcde") and ours.configuration.preprocess.crop_pct == 0.875
    assert ours.configuration.image_size == 96
    images = random_images(1, 40, 50, seed=1)
    with torch.no_grad():
        assert torch.equal(ours(images), model(images))


@pytest.mark.parametrize("name, variant, side, resized, mode", [
    ("torchvision's Swin Transformer", "swin-t", 224, 232, "center"),
    ("torchvision's Swin Transformer", "swin-s", 224, 246, "center"),
    ("torchvision's Swin Transformer", "swin-b", 224, 238, "center"),
    ("torchvision's Swin Transformer", None, 224, 248, "center"),  # no published model: 0.9
    ("timm's Swin Transformer", "swin-b", 224, 248, "center"),
    ("timm's Swin Transformer", "swin-b", 384, 384, "center"),
    ("the authors' Swin Transformer", "swin-t", 224, 256, "center"),
    ("the authors' Swin Transformer", "swin-b", 384, 384, "squash"),
    ("Transformers' Swin", "swin-t", 224, 256, "center"),
    ("the authors' PVT", "pvt-s", 224, 256, "center"),
    ("Transformers' PVT", "pvt-s", 224, 256, "center"),
    ("the authors' CvT", "cvt-13", 224, 256, "center"),
    ("the authors' CvT", "cvt-13", 384, 384, "squash"),
    ("Transformers' CvT", "cvt-13", 384, 384, "squash"),
    ("the authors' CSWin Transformer", "cswin-t", 224, 248, "center"),
    ("the authors' CSWin Transformer", None, 384, 384, "center")])
def test_images_are_cropped_as_the_authors_evaluate(name, variant, side, resized, mode):
    layout = named(name)
    configuration = dataclasses.replace(MODELS[layout.block], variant=variant, image_size=side)
    preprocess = evaluation(layout, configuration).preprocess
    assert (math.floor(side / preprocess.crop_pct), preprocess.crop_mode) == (resized, mode)
    assert preprocess == PreprocessConfiguration(crop_pct=preprocess.crop_pct, crop_mode=mode)


def test_every_evaluation_is_of_a_layout():
    assert {name for row in EVALUATIONS for name in row.layouts} == {layout.name for layout in CLASSIFIERS}


def test_crop_shares_are_exact():
    for side in (32, 64, 224, 256, 384):
        for resized in range(side, 2 * side):
            assert math.floor(side / crop_share(side, resized)) == resized


def test_labels_of_imagenet(tmp_path):
    """Written where the names are this project's; elsewhere the engine knows them."""
    labels = list(imagenet_labels())
    assert len(labels) == 1000 and labels[0] == "tench, Tinca tinca" and labels[-1].startswith("toilet tissue")
    _, tensors = checkpoint(named("timm's Swin Transformer"), num_labels=1000)
    torch.save(tensors, tmp_path / "x.pth")
    for options, expected in (((), None), (("--rename",), tuple(labels))):
        result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "out", *options)
        assert result.returncode == 0, result.stderr
        assert ModelConfiguration.from_file(tmp_path / "out" / "config.json").labels == expected


def test_stripes_of_384_are_warned_of(tmp_path):
    _, tensors = checkpoint(named("the authors' CSWin Transformer"))
    torch.save(tensors, tmp_path / "x.pth")
    for side in (224, 384):
        result = script("convert.py", tmp_path / "x.pth", "--image-size", side, "--output", tmp_path / "out")
        assert result.returncode == 0 and ("stripes of 12" in result.stderr) == (side == 384), result.stderr


@pytest.fixture
def downloaded(tmp_path):
    """A directory of the time before safetensors."""
    folder = tmp_path / "downloaded"
    folder.mkdir()
    _, tensors = checkpoint(named("Transformers' Swin"))
    torch.save(tensors | {"swin.relative_position_index": torch.zeros(3, dtype=torch.int64)},
               folder / "pytorch_model.bin")
    (folder / "config.json").write_text('{"model_type":  "swin", "unknown": [1e400]}')
    return folder, tensors


@pytest.mark.parametrize("preprocessor", [False, True])
def test_a_directory_keeps_its_configuration(downloaded, tmp_path, preprocessor):
    folder, tensors = downloaded
    if preprocessor:
        (folder / "preprocessor_config.json").write_bytes(b'{"size" :224}\r\n')
    result = script("convert.py", folder, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    names = {"config.json", "model.safetensors"} | ({"preprocessor_config.json"} if preprocessor else set())
    assert {file.name for file in (tmp_path / "out").iterdir()} == names
    for name in names - {"model.safetensors"}:
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
    found, metadata = read_tensors(tmp_path / "out" / "model.safetensors")
    assert metadata == {"format": "pt"}
    assert set(found) == set(tensors) and all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_the_pickled_file_alone_is_any_checkpoint(downloaded, tmp_path):
    folder, _ = downloaded
    result = script("convert.py", folder / "pytorch_model.bin", "--output", tmp_path / "out")
    assert result.returncode == 0 and "Transformers' Swin" in result.stdout, result.stderr
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "cetnet"


@pytest.mark.parametrize("change, options, message", [
    (None, ("--rename",), "--rename does not go with a directory"),
    (None, ("--image-size", 224), "--image-size does not go"), (None, ("--crop", 1), "--crop does not go"),
    (lambda folder: (folder / "pytorch_model.bin").unlink(), (), "expected pytorch_model.bin, found none"),
    (lambda folder: (folder / "pytorch_model.bin").rename(folder / "model.safetensors"), (), "needs no conversion"),
    (lambda folder: (folder / "config.json").write_text("{"), (), "config.json: not valid JSON"),
    (lambda folder: (folder / "config.json").write_text("[]"), (), 'expected "model_type"'),
    (lambda folder: (folder / "pytorch_model.bin").write_bytes(b"x"), (), "pytorch_model.bin: ")])
def test_unusable_directories(downloaded, tmp_path, change, options, message):
    folder, _ = downloaded
    if change is not None:
        change(folder)
    result = script("convert.py", folder, "--output", tmp_path / "out", *options)
    assert result.returncode == 2 and message in result.stderr and "Traceback" not in result.stderr, result.stderr
    assert not (tmp_path / "out").exists()


def test_what_fits_no_layout_is_refused(tmp_path):
    layout = named("torchvision's Swin Transformer")
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


def test_a_directory_without_configuration_is_told_by_its_tensors(downloaded, tmp_path):
    folder, tensors = downloaded
    (folder / "config.json").unlink()
    for name in ("pickled", "safetensors"):
        if name == "safetensors":
            (folder / "pytorch_model.bin").unlink()
            save_file(tensors, folder / "model.safetensors")
        result = script("convert.py", folder, "--output", tmp_path / name)
        assert result.returncode == 0 and "Transformers' Swin" in result.stdout, result.stderr
        assert load_any(tmp_path / name).configuration.block == "swin"


def test_shards_are_joined(downloaded, tmp_path):
    folder, tensors = downloaded
    names = sorted(tensors)
    halves = {"a.bin": names[::2], "b.bin": names[1::2]}
    for file, part in halves.items():
        torch.save({name: tensors[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in halves.items() for name in part}}
    (folder / "pytorch_model.bin").unlink()
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    result = script("convert.py", folder, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    found, _ = read_tensors(tmp_path / "out" / "model.safetensors")
    assert set(found) == set(tensors) and all(torch.equal(found[name], tensors[name]) for name in tensors)
    index["weight_map"]["more"] = "a.bin"
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    result = script("convert.py", folder, "--output", tmp_path / "no")
    assert result.returncode == 2 and "a.bin: tensor more is missing" in result.stderr, result.stderr


def test_public_models_are_loaded_as_they_are(downloaded, tmp_path):
    folder, tensors = downloaded
    (folder / "config.json").write_text(json.dumps({
        "model_type": "swin", "num_heads": list(MODELS["swin"].num_heads), "image_size": 96, "hidden_act": "quick_gelu"}))
    half = len(tensors) // 2
    parts = {"1.safetensors": list(tensors)[:half], "2.safetensors": list(tensors)[half:]}
    for file, part in parts.items():
        save_file({name: tensors[name] for name in part}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"weight_map": {name: file for file, part in parts.items() for name in part}}))
    configuration = load_any(folder).configuration
    assert (configuration.block, configuration.num_heads, configuration.image_size, configuration.hidden_act) == \
        ("swin", MODELS["swin"].num_heads, 96, "quick_gelu")


def test_riddles_have_names(tmp_path):
    def says(path, *data):
        path.write_bytes(b"".join(data))
        result = script("convert.py", path, "--output", tmp_path / "out")
        assert result.returncode == 2 and "Traceback" not in result.stderr and "\x1b" not in result.stderr
        return result.stderr
    for name in ("x.pth", "x.safetensors"):
        assert "Git LFS pointer" in says(tmp_path / name, b"version https://git-lfs.github.com/spec/v1\n")
        assert "web page" in says(tmp_path / name, b"\n<!DOCTYPE html>")
    save_file({"a": torch.zeros(100)}, tmp_path / "whole.safetensors")
    data = (tmp_path / "whole.safetensors").read_bytes()
    assert f"calls for {len(data)} bytes, found {len(data) - 9}" in says(tmp_path / "cut.safetensors", data[:-9])
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    assert "PyTorch's own format" in says(tmp_path / "x.safetensors", (tmp_path / "x.pth").read_bytes())
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pth")
    assert "torch.nn.modules.linear.Linear" in says(tmp_path / "x.pth", (tmp_path / "module.pth").read_bytes())
    torch.save(CETNet(MODELS["swin"]).state_dict(), tmp_path / "own.pth")
    assert "export.py" in says(tmp_path / "x.pth", (tmp_path / "own.pth").read_bytes())


def test_code_is_not_run(tmp_path):
    class Stranger:
        def __reduce__(self):
            return (print, ("code ran",))
    torch.save({"model": Stranger()}, tmp_path / "x.pth")
    result = script("convert.py", tmp_path / "x.pth", "--output", tmp_path / "out")
    assert result.returncode == 2 and "code ran" not in result.stdout and "Traceback" not in result.stderr
