"""Reading and writing models, and the scripts that do."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cetnet.checkpoint import CheckpointError, load_model, load_weights, read_tensors, save_model
from cetnet.configuration import ModelConfiguration
from cetnet.folders import changed
from cetnet.initialization import random_images, randomize
from cetnet.model import CETNet
from cetnet.training import accuracies_of, mixed

SCRIPTS = Path(__file__).resolve().parents[1]
SMALL = ModelConfiguration(dims=(32, 32, 32, 32), depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1), stem_channels=(8, 8),
                           image_size=32, num_labels=2, labels=("cat", "dog"))


def script(name, *arguments):
    return subprocess.run([sys.executable, SCRIPTS / name, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("name", ["model", "model.safetensors"])
def test_models_survive_files(tmp_path, name):
    model = randomize(CETNet(SMALL), seed=1)
    save_model(model, tmp_path / name)
    loaded = load_model(tmp_path / name)
    assert loaded.configuration == SMALL
    images = random_images(1, 40, 32, seed=2)
    with torch.no_grad():
        assert torch.equal(model(images), loaded(images))
    tensors, _ = read_tensors(tmp_path / name / "model.safetensors" if name == "model" else tmp_path / name)
    assert not any(tensor.endswith("num_batches_tracked") for tensor in tensors)


def test_tensors_that_do_not_fit_are_named():
    model = CETNet(SMALL)
    tensors = dict(model.state_dict())
    del tensors["head.bias"]
    tensors["norm.weight"] = torch.zeros(3)
    tensors["extra"] = torch.zeros(1)
    with pytest.raises(CheckpointError) as error:
        load_weights(model, tensors, "x.pth")
    for part in ("x.pth", "missing tensor head.bias", "unknown tensor extra", "norm.weight: expected shape [32]"):
        assert part in str(error.value)


def test_export_of_a_checkpoint(tmp_path):
    model = randomize(CETNet(SMALL), seed=3)
    torch.save({"state_dict": {f"module.{name}": value for name, value in model.state_dict().items()}},
               tmp_path / "last.pth")
    (tmp_path / "config.json").write_text(SMALL.to_json())
    result = script("export.py", tmp_path / "last.pth", "--config", tmp_path / "config.json", "--output",
                    tmp_path / "out")
    assert result.returncode == 0, result.stderr
    for name, value in load_model(tmp_path / "out").state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_export_refuses_what_does_not_fit(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    result = script("export.py", tmp_path / "other.pth", "--variant", "cetnet-t", "--output", tmp_path / "out")
    assert result.returncode == 2
    assert "missing tensor stem.0.fused.conv.weight" in result.stderr
    assert not (tmp_path / "out").exists()
    (tmp_path / "broken.pth").write_bytes(b"no checkpoint")
    result = script("export.py", tmp_path / "broken.pth", "--variant", "cetnet-t", "--output", tmp_path / "out")
    assert result.returncode == 2 and "broken.pth" in result.stderr and "Traceback" not in result.stderr


def test_mixup_blends_images_and_labels():
    torch.manual_seed(1)
    images = torch.arange(4.0)[:, None]
    labels = torch.arange(4)
    blended, others, share = mixed(images, labels, 0.8)
    assert 0 < share < 1 and torch.allclose(blended, share * images + (1 - share) * images[others])
    assert mixed(images, labels, 0)[2] == 1


def test_the_label_among_the_largest():
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            return images
    logits = torch.tensor([[9.0, 8, 7, 6, 5, 4, 3]] * 3)
    assert accuracies_of(Fixed(), [(logits, torch.tensor([0, 4, 5]))]) == (1 / 3, 2 / 3)


def test_changes_keep_the_size():
    from PIL import Image
    random.seed(1)
    images = {changed(Image.new("RGB", (20, 20), (90, 20, 200)), 9).tobytes() for _ in range(40)}
    assert {len(image) for image in images} == {1200} and len(images) > 5


def test_training_on_folders_of_images(tmp_path):
    from PIL import Image
    for part, count in (("train", 8), ("val", 2)):
        for label, grey in (("dark", 40), ("light", 210)):
            folder = tmp_path / "data" / part / label
            folder.mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (40 + index, 36), (grey + index,) * 3).save(folder / f"{index}.png")
    (tmp_path / "config.json").write_text(SMALL.to_json())
    common = ["--data", tmp_path / "data", "--config", tmp_path / "config.json", "--output", tmp_path / "out",
              "--batch-size", 4, "--workers", 0, "--threads", 1]
    result = script("train.py", *common, "--epochs", 1)
    assert result.returncode == 0, result.stderr
    assert f"next: cetnet classify --model {tmp_path / 'out'} {tmp_path / 'data' / 'val' / 'dark' / '0.png'}" in \
        result.stdout
    result = script("train.py", *common, "--epochs", 2, "--resume", tmp_path / "out" / "last.pth", "--mixup", 0.8,
                    "--rand-augment", 9, "--mixed-precision")
    assert result.returncode == 0, result.stderr
    assert "epoch 2/2" in result.stderr and "epoch 1/2" not in result.stderr
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["id2label"] == {"0": "dark", "1": "light"}
    load_model(tmp_path / "out")
    result = script("export.py", tmp_path / "out" / "last.pth", "--output", tmp_path / "single.safetensors")
    assert result.returncode == 0, result.stderr
    assert load_model(tmp_path / "single.safetensors").configuration.labels == ("dark", "light")


@pytest.mark.parametrize("name", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_every_script_explains_itself(name):
    result = script(name, "--help")
    assert result.returncode == 0 and result.stdout.startswith("usage:"), result.stderr
