"""The verifying scripts against a stand-in for the executable: they must accept a right one and refuse wrong ones."""

import pytest

import verify
import verify_preprocessing
from cetnet.checkpoint import save_model
from cetnet.commands import CommandError
from cetnet.configuration import ConfigurationError, ModelConfiguration
from cetnet.engine import Engine, EngineError
from cetnet.initialization import randomize
from cetnet.model import CETNet
from cetnet.photographs import variations

SMALL = ModelConfiguration(dims=(32, 32, 32, 32), depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1), stem_channels=(8, 8),
                           image_size=32, num_labels=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small"
    save_model(randomize(CETNet(SMALL), seed=1), path)
    return path


def test_the_executable_is_called(executable, model, tmp_path):
    engine = Engine(executable)
    assert engine.inspect(model)["parameters"] > 0
    with pytest.raises(EngineError, match="status"):
        engine.inspect(tmp_path / "nothing")


def test_a_right_engine_passes(call, model):
    status, output = call(verify, "--model", model, "--sizes", "33x47", "--batches", 1, 2, "--threads", 1)
    assert status == 0 and "all equal" in output, output


@pytest.mark.parametrize("fault, message", [
    ("logits", "logits differ"), ("features", "stage 2 differ"), ("nan", "logits differ by nan"),
    ("parameters", "parameters"), ("layers", "add up to"), ("status", "status 1")])
def test_a_wrong_engine_fails(call, model, fault, message):
    status, output = call(verify, "--model", model, "--sizes", "32x40", "--batches", 1, fault=fault)
    assert status == 1 and message in output, output


def test_bit_identity(call, model):
    arguments = ("--model", model, "--sizes", "32", "--only-bit-identity")
    status, output = call(verify, *arguments)
    assert status == 0, output
    status, output = call(verify, *arguments, fault="batch")
    assert status == 1 and "batch 3 threads 2: 1 of 6 logits" in output, output


def test_unusable_calls(call, tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="cetnet-x"):
        call(verify, "cetnet-x")
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call(verify, "--environment", "NAME")
    with pytest.raises(SystemExit) as exit:
        call(verify, "--sizes", "31x40")
    assert exit.value.code == 2
    with pytest.raises(CommandError, match="swift build"):
        Engine(tmp_path / "nothing")


@pytest.mark.parametrize("fault, status", [(None, 0), ("pixels", 1), ("status", 1)])
def test_preprocessing(call, tmp_path, fault, status):
    for path in variations(tmp_path):
        if path.name == "97x61.jpg":
            break
    found, output = call(verify_preprocessing, path, tmp_path / "333x501.png", fault=fault)
    assert found == status, output
