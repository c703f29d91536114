"""Models as public packages save them: the fixtures, and the script that compares such directories with the engine."""

import json

import pytest
import torch
from PIL import Image
from public_packages import package
from stand_in import opened

import make_public_fixtures
import verify_public
from cetnet.checkpoint import load_weights, read_tensors
from cetnet.commands import REPOSITORY, CommandError
from cetnet.comparison import PixelDifference, compare_pixels
from cetnet.engine import EngineError
from cetnet.model import CETNet
from cetnet.photographs import bundled
from cetnet.public_models import PublicModel, filled, logits
from cetnet.public_processors import TORCHVISION, Reference

FIXTURES = REPOSITORY / "Tests" / "PublicCheckpointTests" / "Fixtures"
NAMES = list(make_public_fixtures.FIXTURES)
PHOTOGRAPHS = [path for path in bundled() if path.name in ("china.jpg", "text.png")]


@pytest.fixture(autouse=True)
def packages():
    for name in ("torchvision", "timm", "transformers"):
        package(name)


def expected(name):
    tensors, _ = read_tensors(FIXTURES / f"{name}.expected.safetensors")
    assert tensors["images"].shape == (1, 3, 64, 64) and tensors["logits"].std() > 0.3
    return tensors["images"], tensors["logits"]


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_are_complete_for_their_packages(name):
    """Loaded by the package itself, the directory computes what lies beside it."""
    if name.startswith("transformers"):
        module = package("transformers").AutoModelForImageClassification.from_pretrained(FIXTURES / name)
        package("transformers").AutoImageProcessor.from_pretrained(FIXTURES / name)
        assert list(module.config.id2label.values()) == list("abcde")
    elif name.startswith("timm"):
        module = package("timm").create_model(f"local-dir:{FIXTURES / name}", pretrained=True)
    else:
        settings = make_public_fixtures.SWIN | dict(patch_size=[4, 4], window_size=[2, 2], num_classes=5)
        module = package("torchvision").models.SwinTransformer(**settings)
        missing, unknown = module.load_state_dict(read_tensors(FIXTURES / name / "model.safetensors")[0], strict=False)
        assert not unknown and all(tensor.endswith("relative_position_index") for tensor in missing)
    images, values = expected(name)
    assert (logits(module, images) - values).abs().max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_are_what_this_project_computes(name):
    configuration, tensors = opened(FIXTURES / name)
    model = CETNet(configuration)
    load_weights(model, tensors, name)
    images, values = expected(name)
    assert (logits(model, images) - values).abs().max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_the_fixtures_is_neutral(name):
    for tensor, value in read_tensors(FIXTURES / name / "model.safetensors")[0].items():
        assert value.numel() == 1 or value.float().std() > 0.01, tensor
    assert sum(file.stat().st_size for file in (FIXTURES / name).iterdir()) <= make_public_fixtures.LARGEST
    for file in FIXTURES.glob(f"{name}*/*.json"):
        json.loads(file.read_text())
        assert str(REPOSITORY) not in file.read_text()


def test_filled_leaves_nothing_neutral():
    module = filled(package("transformers").CvtForImageClassification(package("transformers").CvtConfig(num_labels=2)))
    for name, value in module.state_dict().items():
        assert value.float().std() > 0 if value.numel() > 1 else value > 0, name


@pytest.fixture
def small(monkeypatch):
    """The fixtures' models and two photographs instead of the full sizes."""
    models = {name: PublicModel(make, ((64, 64), (64, 96)) if name == "torchvision-swin" else ((64, 64),))
              for name, make in make_public_fixtures.FIXTURES.items()}
    monkeypatch.setattr(verify_public, "MODELS", models)
    monkeypatch.setattr(verify_public, "bundled", lambda: PHOTOGRAPHS)
    monkeypatch.setattr(verify_public, "variations", lambda folder: [])


def test_a_right_engine_passes(call, small):
    status, output = call(verify_public)
    assert status == 0, output
    for name in (*NAMES, *verify_public.PROCESSORS):
        assert name in output
    assert "64x96" in output and "torchvision " in output and "Pillow" in output


@pytest.mark.parametrize("name, fault, message", [
    ("timm-swin", "logits", "timm-swin: 64x64: logits differ by"), ("timm-swin", "nan", "logits differ by nan"),
    ("transformers-cvt", "parameters", "parameters, the package has"), ("transformers-cvt", "status", "status 1"),
    ("images/pvt-224", "pixels", "china.jpg: 99.554 % as Pillow"),
    ("images/timm-224", "pixels", "as timm, largest difference"),
    ("images/timm-224", "status", "china.jpg: status 1")])
def test_a_wrong_engine_fails(call, small, name, fault, message):
    status, output = call(verify_public, "--only", name, fault=fault)
    assert status == 1 and "FAILED" in output and message in output, output


def test_names_are_chosen(call, small):
    status, output = call(verify_public, "--only", "*-swin", "images/convnext-384")
    assert status == 0 and "timm-swin" in output and "convnext-384" in output
    assert "transformers-pvt" not in output and "convnext-224" not in output
    with pytest.raises(CommandError, match="--only swin-v2: no such name"):
        call(verify_public, "--only", "timm-swin", "swin-v2")


def test_what_a_reference_accepts():
    exact, bilinear = (Reference("x", None, **limits) for limits in ({}, TORCHVISION[Image.Resampling.BILINEAR]))
    bicubic = Reference("x", None, **TORCHVISION[Image.Resampling.BICUBIC])
    for same, largest, mean, accepted in ((999, 1.0, 0.001, 3), (998, 1.0, 0.001, 2), (998, 2.0, 0.001, 1),
                                          (500, 1.0, 0.3, 0), (999, float("nan"), float("nan"), 0)):
        pixels = PixelDifference(same, 1000, largest, mean)
        assert sum(reference.accepts(pixels) for reference in (exact, bilinear, bicubic)) == accepted


def test_pixels_are_compared_in_levels():
    expected, found = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    found[0, 1, 0, 0] = 0.5
    pixels = compare_pixels(found, expected, torch.tensor([10, 4, 20]))
    assert (pixels.same, pixels.count, pixels.largest, pixels.share) == (11, 12, 2, 11 / 12)
    assert pixels.mean == pytest.approx(2 / 12)
    found[0, 0, 0, 0] = torch.nan
    pixels = compare_pixels(found, expected, torch.tensor([10, 4, 20]))
    assert pixels.same == 10 and not pixels.largest <= 2
    with pytest.raises(EngineError, match="shape"):
        compare_pixels(found[:, :, :1], expected, torch.ones(3))
