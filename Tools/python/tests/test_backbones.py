"""The attention of the other backbones against token-by-token readings of its definitions, and what surrounds it."""

import math

import pytest
import torch
from torch.nn import functional as F

from cetnet.configuration import ConfigurationError, ModelConfiguration
from cetnet.costs import layer_costs, parameter_count
from cetnet.global_attention import ConvolutionalAttention, SpatialReductionAttention
from cetnet.initialization import random_images, randomize
from cetnet.model import CETNet, PositionEmbedding
from cetnet.stripe_attention import StripeAttention
from cetnet.variants import VARIANTS

SWIN = dict(dims=(16, 32, 48, 64), depths=(2, 1, 1, 1), num_heads=(1, 2, 3, 4), num_labels=5, stem_channels=(4, 8))
THREE = dict(dims=(16, 32, 48), depths=(1, 1, 2), num_heads=(1, 2, 3), num_labels=5, stem_channels=(4, 8))
MODELS = {
    "swin": ModelConfiguration(block="swin", embeddings=("patch", "merge", "merge", "merge"), **SWIN),
    "ce-swin": ModelConfiguration(block="swin", **SWIN),
    "pvt": ModelConfiguration(block="pvt", embeddings=("patch",) * 4, image_size=64, **SWIN),
    "ce-pvt": ModelConfiguration(block="pvt", **SWIN),
    "cvt": ModelConfiguration(block="cvt", embeddings=("conv",) * 3, **THREE),
    "ce-cvt": ModelConfiguration(block="cvt", **THREE),
    "cswin": ModelConfiguration(block="cswin", embeddings=("conv",) * 4, **(SWIN | {"num_heads": (2, 2, 4, 3),
                                                                                   "dims": (16, 32, 48, 60)})),
    "ce-cswin": ModelConfiguration(block="cswin", **(SWIN | {"num_heads": (2, 2, 4, 4)})),
}


def filled(module):
    return randomize(module, seed=11).double()


def close(found, expected):
    assert found.shape == expected.shape
    difference = (found - expected).abs().max().item()
    assert difference <= 1e-12 * max(1, expected.abs().max().item()), difference


def linear(module, x):
    return module.weight @ x + module.bias


def attention(query, keys, values, heads, scale):
    """One query (C), lists of keys and values: head by head, token by token."""
    width = len(query) // heads
    mixed = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        weights = [math.exp((query[part] @ key[part]).item() * scale) for key in keys]
        mixed.append(sum(weight * value[part] for weight, value in zip(weights, values)) / sum(weights))
    return torch.cat(mixed)


@pytest.mark.parametrize("reduction, class_token", [(1, False), (1, True), (2, False), (4, False)])
def test_spatial_reduction_attention_against_loops(reduction, class_token):
    module, (h, w), c = filled(SpatialReductionAttention(12, heads=3, reduction=reduction)), (5, 6), 12
    x = torch.randn(h * w + class_token, c, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    sources = list(x)
    if reduction > 1:
        sources = []
        for row in range(h // reduction):
            for column in range(w // reduction):
                value = module.sr.bias.clone()
                for i in range(reduction):
                    for j in range(reduction):
                        token = x[(row * reduction + i) * w + column * reduction + j]
                        value = value + module.sr.weight[:, :, i, j] @ token
                value = value - value.mean()
                value = value / torch.sqrt((value ** 2).mean() + 1e-5)
                sources.append(value * module.norm.weight + module.norm.bias)
    pairs = [linear(module.kv, source) for source in sources]
    keys, values = [pair[:c] for pair in pairs], [pair[c:] for pair in pairs]
    expected = torch.stack([linear(module.proj, attention(linear(module.q, token), keys, values, 3, 4 ** -0.5))
                            for token in x])
    close(module(x[None], (h, w))[0], expected)


def normalised(bn, x):
    return (x - bn.running_mean) / torch.sqrt(bn.running_var + 1e-5) * bn.weight + bn.bias


@pytest.mark.parametrize("h, w", [(5, 6), (4, 3), (1, 1)])
@pytest.mark.parametrize("class_token", [False, True])
def test_convolutional_attention_against_loops(h, w, class_token):
    module, c = filled(ConvolutionalAttention(12, heads=3)), 12
    x = torch.randn(h * w + class_token, c, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    token, image = x[:class_token], x[class_token:].reshape(h, w, c)

    def projected(convolution, projection, stride):
        found = list(token)
        for row in range(0, h, stride):
            for column in range(0, w, stride):
                value = torch.zeros(c, dtype=torch.float64)
                for i in range(3):
                    for j in range(3):
                        y, z = row + i - 1, column + j - 1
                        if 0 <= y < h and 0 <= z < w:
                            value += convolution.conv.weight[:, 0, i, j] * image[y, z]
                found.append(normalised(convolution.bn, value))
        return [linear(projection, value) for value in found]

    queries = projected(module.conv_proj_q, module.proj_q, 1)
    keys = projected(module.conv_proj_k, module.proj_k, 2)
    values = projected(module.conv_proj_v, module.proj_v, 2)
    expected = torch.stack([linear(module.proj, attention(query, keys, values, 3, 12 ** -0.5)) for query in queries])
    close(module(x[None], (h, w))[0], expected)


@pytest.mark.parametrize("h, w, stripe", [
    (4, 6, 1), (4, 6, 2),  # whole stripes
    (5, 3, 2), (3, 5, 3), (4, 4, 7),  # padded along one axis, along the other, smaller than a stripe
    (5, 4, None)])
def test_stripe_attention_against_loops(h, w, stripe):
    module, c, heads = filled(StripeAttention(16, heads=4, stripe=stripe)), 16, 4
    x = torch.randn(h, w, c, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    branches = 1 if stripe is None else 2
    part = c // branches

    def qkv(row, column):
        inside = row < h and column < w
        return linear(module.qkv, x[row, column] if inside else torch.zeros(c, dtype=torch.float64))

    expected = torch.zeros_like(x)
    for row in range(h):
        for column in range(w):
            parts = []
            for branch in range(branches):
                rows, columns = range(h), range(w)
                if stripe is not None and branch == 0:
                    columns = range(column // stripe * stripe, column // stripe * stripe + stripe)
                if stripe is not None and branch == 1:
                    rows = range(row // stripe * stripe, row // stripe * stripe + stripe)
                mine = slice(branch * part, (branch + 1) * part)
                cells = {(i, j): qkv(i, j) for i in rows for j in columns}
                keys = [value[c:2 * c][mine] for value in cells.values()]
                values = [value[2 * c:][mine] for value in cells.values()]
                local = module.lepe[branch].bias.clone()
                for i in range(3):
                    for j in range(3):
                        value = cells.get((row + i - 1, column + j - 1))
                        if value is not None:
                            local += module.lepe[branch].weight[:, 0, i, j] * value[2 * c:][mine]
                query = cells[row, column][:c][mine]
                parts.append(attention(query, keys, values, heads // branches, 4 ** -0.5) + local)
            expected[row, column] = linear(module.proj, torch.cat(parts))
    close(module(x[None])[0], expected)


def test_position_embeddings():
    values = torch.randn(1, 1 + 9, 4)
    embedding = PositionEmbedding(values, side=3)
    assert torch.equal(embedding((3, 3)), values)
    for size in ((9, 1), (2, 5), (6, 6)):
        found = embedding(size)
        assert found.shape == (1, 1 + size[0] * size[1], 4)
        assert torch.equal(found[:, 0], values[:, 0])
    square, found = values[0, 1:].reshape(3, 3, 4), embedding((6, 6))[0, 1:].reshape(6, 6, 4)
    # Pixel centres: position 2 of 6 lies at 0.75 of 3, position 3 at 1.25, position 0 at −0.25, held at the edge.
    across = [square[:, 0], None, square[:, 0] * 0.25 + square[:, 1] * 0.75, square[:, 1] * 0.75 + square[:, 2] * 0.25]
    expected = across[2][0] * 0.75 + across[2][1] * 0.25
    assert (found[1, 2] - expected).abs().max() < 1e-6
    assert (found[0, 3] - across[3][0]).abs().max() < 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_layer_costs_cover_every_parameter(name):
    rows = layer_costs(MODELS[name], 64, 48)
    assert sum(row.parameters for row in rows) == parameter_count(MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_random_weights_give_sensible_activations(name):
    configuration = MODELS[name]
    assert ModelConfiguration.from_json(configuration.to_json()) == configuration
    model = randomize(CETNet(configuration), seed=5)
    for height, width in ((64, 64), (33, 47), (71, 32)):
        with torch.no_grad():
            logits, features = model.forward_with_features(random_images(2, height, width, seed=6))
        sides = (height, width)
        for stage, feature in enumerate(features):
            rounding = math.ceil if configuration.embeddings[stage] in ("ce", "merge") or (
                configuration.embeddings[stage] == "conv" and stage > 0) else math.floor
            divisor = 2 if stage > 0 else 4
            extra = 1 if configuration.embeddings[stage] == "conv" and stage == 0 else 0
            sides = tuple(rounding((side + extra) / divisor) for side in sides)
            assert tuple(feature.shape) == (2, configuration.dims[stage], *sides)
            assert 0.3 < feature.std().item() < 10
        assert (logits[0] - logits[1]).abs().max().item() > 0.02, "the logits hardly depend on the image"


@pytest.mark.parametrize("name", ["pvt", "cvt", "cswin"])
def test_an_image_does_not_depend_on_its_neighbours(name):
    model = randomize(CETNet(MODELS[name]), seed=3).double()
    images = random_images(3, 71, 50, seed=4).double()
    with torch.no_grad():
        together = model(images)
        alone = torch.cat([model(images[index:index + 1]) for index in range(3)])
    assert (together - alone).abs().max().item() <= 1e-11


def test_tensors_outside_the_stages():
    roots = {name: {key: tuple(value.shape) for key, value in CETNet(configuration).state_dict().items()
                    if not key.startswith(("stages.", "stem."))} for name, configuration in MODELS.items()}
    ends = {"norm.weight": (64,), "norm.bias": (64,), "head.weight": (5, 64), "head.bias": (5,)}
    assert roots["swin"] == roots["ce-pvt"] == ends
    assert roots["pvt"] == ends | {"cls_token": (1, 1, 64), "pos_embed1": (1, 256, 16), "pos_embed2": (1, 64, 32),
                                   "pos_embed3": (1, 16, 48), "pos_embed4": (1, 5, 64)}
    assert roots["cvt"]["cls_token"] == roots["ce-cvt"]["cls_token"] == (1, 1, 48)


def test_tensors_of_blocks():
    found = {name: {key.removeprefix("stages.0.blocks.0."): tuple(value.shape)
                    for key, value in CETNet(MODELS[name]).state_dict().items()
                    if key.startswith("stages.0.blocks.0.attn.")} for name in ("swin", "pvt", "cvt", "cswin")}
    assert set(found["swin"]) == {"attn.qkv.weight", "attn.qkv.bias", "attn.proj.weight", "attn.proj.bias",
                                  "attn.relative_position_bias_table"}
    assert found["pvt"] == {
        "attn.q.weight": (16, 16), "attn.q.bias": (16,), "attn.kv.weight": (32, 16), "attn.kv.bias": (32,),
        "attn.sr.weight": (16, 16, 8, 8), "attn.sr.bias": (16,), "attn.norm.weight": (16,), "attn.norm.bias": (16,),
        "attn.proj.weight": (16, 16), "attn.proj.bias": (16,)}
    assert found["cswin"] == {
        "attn.qkv.weight": (48, 16), "attn.qkv.bias": (48,), "attn.lepe.0.weight": (8, 1, 3, 3),
        "attn.lepe.0.bias": (8,), "attn.lepe.1.weight": (8, 1, 3, 3), "attn.lepe.1.bias": (8,),
        "attn.proj.weight": (16, 16), "attn.proj.bias": (16,)}
    assert {key for key in found["cvt"] if "conv_proj_k" in key} == {
        f"attn.conv_proj_k.{leaf}" for leaf in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean",
                                                "bn.running_var", "bn.num_batches_tracked")}
    assert found["cvt"]["attn.proj_q.weight"] == (16, 16) and found["cvt"]["attn.proj_v.bias"] == (16,)
    last = CETNet(MODELS["cswin"]).stages[3].blocks[0].attn.lepe
    assert len(last) == 1 and last[0].weight.shape == (60, 1, 3, 3)


def test_epsilons():
    pvt, cvt = CETNet(MODELS["pvt"]), CETNet(MODELS["cvt"])
    block = pvt.stages[0].blocks[0]
    assert [norm.eps for norm in (pvt.norm, block.norm1, block.norm2)] == [1e-6] * 3
    assert [norm.eps for norm in (block.attn.norm, pvt.stages[0].embed.norm, cvt.norm,
                                  cvt.stages[0].blocks[0].norm1)] == [1e-5] * 4


def test_activation_of_blocks():
    assert VARIANTS["cvt-13"].configuration.hidden_act == VARIANTS["ce-cvt-13"].configuration.hidden_act == "quick_gelu"
    assert VARIANTS["swin-t"].configuration.hidden_act == "gelu"
    text = '{"model_type": "cetnet", "variant": "cvt-13", "hidden_act": "gelu"}'
    assert ModelConfiguration.from_json(text).hidden_act == "gelu"
    x = torch.linspace(-6, 6, 101)
    act = CETNet(MODELS["cvt"]).stages[0].blocks[0].mlp.act
    assert (act(x) - x / (1 + torch.exp(-1.702 * x))).abs().max() < 1e-6
    assert (act(x) - F.gelu(x)).abs().max() > 1e-2


@pytest.mark.parametrize("changes, message", [
    ({"block": "cvt"}, "3 stages"), ({"block": "cswin", "num_heads": (1, 2, 2, 4)}, "even")])
def test_configurations_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        ModelConfiguration(**(SWIN | changes)).validate()
