"""The units and embeddings of the studies: their tensors, and independent readings of what they compute."""

import json

import pytest
import torch
from torch.nn import functional as F

from cetnet.configuration import ConfigurationError, ModelConfiguration
from cetnet.embeddings import PatchMerging
from cetnet.initialization import random_images, randomize
from cetnet.model import CETNet
from cetnet.units import UNITS, DenseLayer, GhostUnit, ResNetUnit, ShuffleDownUnit, ShuffleUnit, bottleneck_width

SMALL = ModelConfiguration(dims=(32, 64, 96, 128), depths=(1, 1, 1, 1), num_heads=(1, 2, 3, 4), stem_channels=(8, 12),
                           num_labels=5)


def changed(**changes):
    return ModelConfiguration(**{**vars(SMALL), **changes})


def filled(module):
    return randomize(module, seed=7).double()


def conv_bn(module, x, act):
    """ConvBN from its formula: no batch normalisation of PyTorch's, GELU from the error function."""
    conv, bn = module.conv, module.bn
    y = F.conv2d(x, conv.weight, None, conv.stride, conv.kernel_size[0] // 2, 1, conv.groups)
    scale = (bn.weight / torch.sqrt(bn.running_var + 1e-5))[:, None, None]
    y = (y - bn.running_mean[:, None, None]) * scale + bn.bias[:, None, None]
    return gelu(y) if act else y


def gelu(x):
    return x * (1 + torch.erf(x / 2 ** 0.5)) / 2


def close(found, expected):
    assert found.shape == expected.shape
    difference = (found - expected).abs().max().item()
    assert difference <= 1e-12 * max(1, expected.abs().max().item()), difference


# Every ConvBN of a unit, for 64 → 128 channels in the first layer and 128 → 128 in the second: name, shape of the
# convolution's weight.
TENSORS = {
    "mbconv": ({"expand": (128, 64, 1, 1), "dw": (128, 1, 3, 3), "project": (128, 128, 1, 1)},
               {"expand": (128, 128, 1, 1), "dw": (128, 1, 3, 3), "project": (128, 128, 1, 1)}),
    "resnet": ({"reduce": (48, 64, 1, 1), "conv": (48, 48, 3, 3), "expand": (128, 48, 1, 1),
                "shortcut": (128, 64, 1, 1)},
               {"reduce": (48, 128, 1, 1), "conv": (48, 48, 3, 3), "expand": (128, 48, 1, 1)}),
    "dense": ({"fused": (64, 64, 3, 3)}, {"reduce": (128, 64, 1, 1), "grow": (16, 128, 3, 3)},
              {"reduce": (128, 80, 1, 1), "grow": (16, 128, 3, 3)}),
    "shuffle": ({"expand": (128, 64, 1, 1), "dw": (128, 1, 3, 3), "project": (64, 128, 1, 1),
                 "left_dw": (64, 1, 3, 3), "left_project": (64, 64, 1, 1)},
                {"expand": (256, 64, 1, 1), "dw": (256, 1, 3, 3), "project": (64, 256, 1, 1)}),
    "ghost": ({"ghost1.primary": (64, 64, 1, 1), "ghost1.cheap": (64, 1, 3, 3), "dw": (128, 1, 3, 3),
               "ghost2.primary": (64, 128, 1, 1), "ghost2.cheap": (64, 1, 3, 3), "shortcut.dw": (64, 1, 3, 3),
               "shortcut.project": (128, 64, 1, 1)},
              {"ghost1.primary": (128, 128, 1, 1), "ghost1.cheap": (128, 1, 3, 3), "ghost2.primary": (64, 256, 1, 1),
               "ghost2.cheap": (64, 1, 3, 3)}),
}


@pytest.mark.parametrize("unit", TENSORS)
def test_tensors_of_units(unit):
    for index, expected in enumerate(TENSORS[unit]):
        found = {name.removesuffix(".conv.weight"): tuple(value.shape)
                 for name, value in UNITS[unit](index, 64, 128).state_dict().items() if name.endswith("conv.weight")}
        assert found == expected


def test_squeeze_and_excitation_has_linear_layers_with_bias():
    names = {name: tuple(value.shape) for name, value in UNITS["se-resnet"](1, 64, 128).state_dict().items()
             if name.startswith("se.")}
    assert names == {"se.fc1.weight": (8, 128), "se.fc1.bias": (8,), "se.fc2.weight": (128, 8), "se.fc2.bias": (128,)}


def test_early_layers_of_pure_mb():
    found = {name.removesuffix(".conv.weight"): tuple(value.shape)
             for name, value in CETNet(changed(ce_unit="pure-mb")).state_dict().items()
             if name.endswith(".conv.weight") and name.startswith(("stem", "stages.0"))}
    assert found == {
        "stem.0.fused": (8, 3, 3, 3), "stem.1.expand": (8, 8, 1, 1), "stem.1.dw": (8, 1, 3, 3),
        "stem.1.project": (8, 8, 1, 1), "stages.0.embed.layers.0.expand": (16, 8, 1, 1),
        "stages.0.embed.layers.0.dw": (16, 1, 3, 3), "stages.0.embed.layers.0.project": (12, 16, 1, 1),
        "stages.0.embed.layers.1.expand": (24, 12, 1, 1), "stages.0.embed.layers.1.dw": (24, 1, 3, 3),
        "stages.0.embed.layers.1.project": (12, 24, 1, 1)}


@pytest.mark.parametrize("width, expected", [(8, 8), (16, 8), (32, 16), (64, 24), (96, 40), (128, 48), (256, 96),
                                             (512, 192)])
def test_bottleneck_width(width, expected):
    assert bottleneck_width(width) == expected  # 32: 12 is a tie and goes up; 96: 36 as well


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize("cin, stride", [(16, 2), (32, 2), (32, 1)])
def test_resnet_unit(cin, stride, squeeze):
    unit, x = filled(ResNetUnit(cin, 32, stride, squeeze)), torch.randn(2, cin, 5, 6, dtype=torch.float64)
    y = conv_bn(unit.expand, conv_bn(unit.conv, conv_bn(unit.reduce, x, True), True), False)
    if squeeze:
        mean = y.sum(dim=(2, 3)) / (y.shape[2] * y.shape[3])
        hidden = (mean @ unit.se.fc1.weight.T + unit.se.fc1.bias).clamp(min=0)
        y = y / (1 + torch.exp(-(hidden @ unit.se.fc2.weight.T + unit.se.fc2.bias)))[:, :, None, None]
    shortcut = conv_bn(unit.shortcut, x, False) if stride == 2 else x
    close(unit(x), gelu(y + shortcut))


def test_dense_layer():
    unit, x = filled(DenseLayer(24, 32, 4)), torch.randn(2, 24, 5, 6, dtype=torch.float64)
    y = unit(x)
    assert torch.equal(y[:, :24], x)
    close(y[:, 24:], conv_bn(unit.grow, conv_bn(unit.reduce, x, True), True))


def test_shuffle_unit():
    unit, x = filled(ShuffleUnit(16)), torch.randn(2, 16, 5, 6, dtype=torch.float64)
    right = conv_bn(unit.project, conv_bn(unit.dw, conv_bn(unit.expand, x[:, 8:], True), False), True)
    y = unit(x)
    for channel in range(8):
        assert torch.equal(y[:, 2 * channel], x[:, channel])
        close(y[:, 2 * channel + 1], right[:, channel])


def test_shuffle_unit_of_stride_2():
    unit, x = filled(ShuffleDownUnit(12, 16)), torch.randn(2, 12, 5, 6, dtype=torch.float64)
    left = conv_bn(unit.left_project, conv_bn(unit.left_dw, x, False), True)
    right = conv_bn(unit.project, conv_bn(unit.dw, conv_bn(unit.expand, x, True), False), True)
    y = unit(x)
    assert tuple(y.shape) == (2, 16, 3, 3)
    close(y[:, 0::2], left)
    close(y[:, 1::2], right)


@pytest.mark.parametrize("cin, stride", [(12, 2), (16, 1)])
def test_ghost_unit(cin, stride):
    unit, x = filled(GhostUnit(cin, 16, stride)), torch.randn(2, cin, 5, 6, dtype=torch.float64)

    def ghost(module, x, act):
        primary = conv_bn(module.primary, x, act)
        return torch.cat([primary, conv_bn(module.cheap, primary, act)], dim=1)

    y = ghost(unit.ghost1, x, True)
    shortcut = x
    if stride == 2:
        y = conv_bn(unit.dw, y, False)
        shortcut = conv_bn(unit.shortcut.project, conv_bn(unit.shortcut.dw, x, False), False)
    close(unit(x), ghost(unit.ghost2, y, False) + shortcut)


@pytest.mark.parametrize("height, width", [(4, 6), (5, 6), (4, 3), (1, 1)])
def test_patch_merging_against_loops(height, width):
    module, x = filled(PatchMerging(changed(dims=(4, 10, 96, 128), num_heads=(1, 1, 1, 1)), 1)), torch.randn(
        2, 4, height, width, dtype=torch.float64)
    y = module(x)
    assert tuple(y.shape) == (2, (height + 1) // 2, (width + 1) // 2, 10)
    for row in range(y.shape[1]):
        for column in range(y.shape[2]):
            parts = []
            for down, right in ((0, 0), (1, 0), (0, 1), (1, 1)):
                i, j = 2 * row + down, 2 * column + right
                parts.append(x[:, :, i, j] if i < height and j < width else torch.zeros_like(x[:, :, 0, 0]))
            tokens = torch.cat(parts, dim=1)
            centred = tokens - tokens.mean(dim=1, keepdim=True)
            normed = centred / torch.sqrt((centred ** 2).mean(dim=1, keepdim=True) + 1e-5)
            normed = normed * module.norm.weight + module.norm.bias
            close(y[:, row, column], normed @ module.reduction.weight.T)


@pytest.mark.parametrize("height, width, first", [(32, 47, (8, 11)), (35, 32, (8, 8)), (224, 224, (56, 56))])
def test_patches_leave_the_rest_out(height, width, first):
    model = CETNet(changed(embeddings=("patch", "merge", "merge", "merge"), depths=(1, 1, 1, 1))).eval()
    assert len(model.stem) == 0
    with torch.no_grad():
        _, features = model.forward_with_features(torch.zeros(1, 3, height, width))
    sides = [tuple(feature.shape[2:]) for feature in features]
    expected = [first]
    for _ in range(3):
        expected.append(tuple((side + 1) // 2 for side in expected[-1]))
    assert sides == expected


@pytest.mark.parametrize("changes", [{"ce_unit": unit} for unit in UNITS] + [
    {"ce_layers": 1}, {"ce_layers": 7}, {"ce_layers": 3, "ce_unit": "ghost"},
    {"embeddings": ("ce", "merge", "ce", "merge"), "ce_unit": "shuffle"},
    {"embeddings": ("patch", "merge", "merge", "merge")}], ids=str)
def test_random_weights_give_sensible_activations(changes):
    configuration = changed(**{"num_heads": (1, 2, 3, 4), **changes})
    assert ModelConfiguration.from_json(configuration.to_json()) == configuration
    model = randomize(CETNet(configuration), seed=5)
    with torch.no_grad():
        logits, features = model.forward_with_features(random_images(2, 64, 96, seed=6))
    for feature in features:
        assert 0.3 < feature.std().item() < 10
    assert (logits[0] - logits[1]).abs().max().item() > 0.02, "the logits hardly depend on the image"


@pytest.mark.parametrize("change, message", [
    ({"ce_unit": "dense", "ce_layers": 3}, "ce_layers"), ({"ce_unit": "dense", "ce_layers": 1}, "ce_layers"),
    ({"ce_unit": "fire"}, "ce_unit"), ({"embeddings": ["merge", "ce", "ce", "ce"]}, "embeddings"),
    ({"ce_unit": "se-resnet", "dims": [64, 128, 248, 512], "num_heads": [2, 4, 8, 16]}, "16"),
    ({"ce_unit": "dense", "dims": [64, 128, 244, 512], "num_heads": [2, 4, 4, 16]}, "8"),
    ({"ce_unit": "shuffle", "dims": [64, 128, 255, 512], "num_heads": [2, 4, 5, 16]}, "dims")])
def test_combinations_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        ModelConfiguration.from_json(json.dumps({"model_type": "cetnet", "variant": "cetnet-t"} | change))
