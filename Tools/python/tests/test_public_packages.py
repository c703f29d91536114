"""Swin, PVT and CvT against the models of torchvision, timm and Transformers with the same random weights."""

import pytest
from public_packages import package
from torch import nn

from cetnet.checkpoint import load_weights, read_tensors
from cetnet.initialization import random_images
from cetnet.layouts import LAYOUTS, configuration_of_tensors, recognise, renamed_back
from cetnet.model import CETNet
from cetnet.public_models import filled, logits


def check(theirs, tensors, layout_name, variant, sizes=((224, 224),), image_size=None):
    """Float64 on both sides: what is left is rounding, 1e-16 a step over some hundred steps."""
    layout, renamed = recognise(tensors, "test")
    assert layout.name == layout_name
    configuration = configuration_of_tensors(renamed, layout, "test", image_size)
    assert configuration.variant == variant
    ours = CETNet(configuration)
    load_weights(ours, renamed, "test")
    for height, width in sizes:
        images = random_images(1, height, width, seed=2)
        expected, found = logits(theirs, images), logits(ours, images)
        assert expected.std() > 0.1
        difference = (found - expected).abs().max().item()
        assert difference <= 1e-11 * max(1, expected.abs().max().item()), (height, width, difference)


@pytest.mark.parametrize("name, variant", [("swin_t", "swin-t"), ("swin_b", "swin-b")])
def test_torchvision_swin(name, variant):
    module = filled(getattr(package("torchvision").models, name)())
    sizes = ((224, 224), (256, 320), (200, 168), (33, 47)) if name == "swin_t" else ((64, 64),)
    check(module, module.state_dict(), "torchvision's Swin Transformer", variant, sizes)


@pytest.mark.parametrize("name, variant, side", [
    ("swin_tiny_patch4_window7_224", "swin-t", 224), ("swin_small_patch4_window7_224", "swin-s", 224),
    ("swin_base_patch4_window12_384", "swin-b", 384)])
def test_timm_swin(name, variant, side):
    module = filled(package("timm").create_model(name, num_classes=12))
    check(module, module.state_dict(), "timm's Swin Transformer", variant, ((side, side),), side)


def saved(module, folder):
    """What `save_pretrained` writes, whose names are not always those of the modules."""
    module.save_pretrained(folder)
    return read_tensors(folder / "model.safetensors")[0]


def test_transformers_swin(tmp_path):
    transformers = package("transformers")
    module = filled(transformers.SwinForImageClassification(transformers.SwinConfig(num_labels=12)))
    # The port shrinks windows that are larger than a map, so its maps are larger here than a window; and a shift that
    # it has once dropped, as for 224×224, stays dropped.
    check(module, saved(module, tmp_path), "Transformers' Swin", "swin-t", ((256, 320), (224, 224)))


@pytest.mark.parametrize("quick", [False, True])
def test_transformers_cvt(tmp_path, quick):
    """The port computes GELU; the authors QuickGELU, which is put into the port here."""
    transformers = package("transformers")
    module = filled(transformers.CvtForImageClassification(transformers.CvtConfig(num_labels=12)))
    tensors = saved(module, tmp_path)
    if not quick:
        check(module, tensors, "Transformers' CvT", "cvt-13", ((224, 224), (200, 168), (33, 47)))
        return
    for part in module.modules():
        if hasattr(part, "activation") and isinstance(part.activation, nn.GELU):
            part.activation = transformers.activations.QuickGELUActivation()
    authors = next(layout for layout in LAYOUTS if layout.name == "the authors' CvT")
    check(module, renamed_back(recognise(tensors, "test")[1], authors), authors.name, "cvt-13", ((96, 64),))


def test_transformers_pvt(tmp_path):
    """The port has one epsilon for all norms; the authors' embeddings and reductions have PyTorch's default."""
    transformers = package("transformers")
    module = filled(transformers.PvtForImageClassification(transformers.PvtConfig(depths=[3, 4, 6, 3])))
    check(module, saved(module, tmp_path), "Transformers' PVT", "pvt-s")
