"""The shipped digits model and the committed fixtures."""

import pytest
import torch

import make_fixtures
from cetnet import digits
from cetnet.checkpoint import load_model
from cetnet.commands import REPOSITORY
from cetnet.preprocessing import decode, preprocess
from cetnet.training import logits_of

FOLDER = REPOSITORY / "models" / "digits"


@pytest.fixture(scope="module")
def model():
    return load_model(FOLDER)


def test_size(model):
    assert (FOLDER / "model.safetensors").stat().st_size <= 4_000_000
    assert model.configuration == digits.CONFIGURATION


@pytest.mark.parametrize("form", ["image", "enlarged"])
def test_held_out_accuracy(model, form):
    _, held_out = digits.load()
    images = torch.stack([preprocess(getattr(held_out, form)(index).convert("RGB"), model.configuration)
                          for index in range(digits.HELD_OUT)])
    right = (logits_of(model, images).argmax(1) == torch.from_numpy(held_out.labels)).float().mean().item()
    assert right >= 0.98, right


def test_shipped_images(model):
    paths = sorted((FOLDER / "images").glob("*.png"))
    assert len(paths) == 10
    _, held_out = digits.load()
    for path in paths:
        _, label, _, _, index = path.stem.split("-")
        assert int(label) == held_out.labels[int(index)]
        with torch.no_grad():
            probabilities = model(preprocess(decode(path), model.configuration)[None]).softmax(1)[0]
        assert probabilities.argmax().item() == int(label), path.name


def test_fixtures_are_up_to_date(tmp_path):
    make_fixtures.make_all(tmp_path)
    committed = REPOSITORY / "Tests" / "EngineTests" / "Fixtures"
    made = sorted(tmp_path.iterdir())
    assert len(made) == 2 * len(make_fixtures.TINY) + 2
    assert not [problem for path in made for problem in make_fixtures.differences(path, committed / path.name)]


def test_differences_are_found(tmp_path):
    from cetnet.checkpoint import write_tensors
    committed = REPOSITORY / "Tests" / "EngineTests" / "Fixtures" / "operators.safetensors"
    tensors, metadata = make_fixtures.read_tensors(committed)
    tensors["gelu/output"][3] += 1e-3
    del tensors["layer_norm/bias"]
    write_tensors(tensors, tmp_path / "operators.safetensors", metadata)
    problems = "\n".join(make_fixtures.differences(tmp_path / "operators.safetensors", committed))
    assert "gelu/output differs" in problems and "layer_norm/bias" in problems and problems.count("\n") == 1
