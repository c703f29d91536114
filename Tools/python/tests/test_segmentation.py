"""UPerNet: what is computed against Transformers' own, converting, and what the configuration says."""

import dataclasses

import pytest
import torch
from public_packages import package
from torch.nn import functional as F

from cetnet.checkpoint import read_tensors
from cetnet.configuration import ConfigurationError, HeadConfiguration, ModelConfiguration
from cetnet.initialization import random_images, randomize
from cetnet.layouts import LAYOUTS, configuration_of_tensors, recognise, rename, renamed_back
from cetnet.public_models import filled
from cetnet.segmentation import build, label_map

SMALL = ModelConfiguration.from_dict({
    "model_type": "cetnet", "task": "segmentation", "block": "swin", "embeddings": ["patch", "merge", "merge", "merge"],
    "dims": [8, 16, 32, 64], "depths": [1, 2, 1, 1], "num_heads": [1, 2, 4, 8], "mlp_ratios": [2, 2, 2, 2],
    "window_size": 5, "num_labels": 6, "head": {"type": "upernet", "hidden_size": 12}})


def layouts():
    return [layout for layout in LAYOUTS if layout.task == "segmentation"]


@pytest.mark.parametrize("size", [(32, 32), (45, 70), (160, 33)])
def test_the_definition_computes_what_transformers_does(size, tmp_path):
    transformers = package("transformers")
    backbone = transformers.SwinConfig(
        embed_dim=8, depths=[1, 2, 1, 1], num_heads=[1, 2, 4, 8], mlp_ratio=2.0, window_size=5,
        out_features=["stage1", "stage2", "stage3", "stage4"])
    theirs = filled(transformers.UperNetForSemanticSegmentation(
        transformers.UperNetConfig(backbone_config=backbone, hidden_size=12, num_labels=6)))
    layout = next(layout for layout in layouts() if layout.name.startswith("Transformers'"))
    theirs.save_pretrained(tmp_path)  # where tensors have the names that they have on the hub
    tensors, unknown = rename(read_tensors(tmp_path / "model.safetensors")[0], layout)
    ours = build(SMALL)
    ours.load_state_dict(tensors, strict=False)
    assert not unknown
    assert set(tensors) == {name for name in ours.state_dict() if not name.endswith("num_batches_tracked")}
    images = random_images(2, *size, seed=1).double()
    with torch.no_grad():
        expected = theirs.double()(images).logits
        found = F.interpolate(ours.double().eval()(images), size=size, mode="bilinear", align_corners=False)
    assert torch.allclose(found, expected, atol=1e-9)
    assert torch.equal(label_map(ours(images), size), expected.argmax(dim=1))


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.name)
def test_checkpoints_become_what_they_were(layout):
    """mmsegmentation's order of patch merging too."""
    model = randomize(build(SMALL), seed=1)
    state = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    theirs = renamed_back(state, layout) | {"auxiliary_head.conv_seg.bias": torch.zeros(6)}
    found_layout, tensors = recognise(theirs, "test")
    assert [other.name for other in LAYOUTS if not rename(theirs, other)[1]] == [layout.name]
    assert found_layout is layout and set(tensors) == set(state)
    assert all(torch.equal(tensors[name], value) for name, value in state.items())
    found = configuration_of_tensors(tensors, layout, "test")
    assert found == dataclasses.replace(SMALL, variant=None)


def test_unfold_order_of_patch_merging():
    """torch.nn.Unfold goes channel by channel, row by row; the definition column by column, channels innermost."""
    layout = next(layout for layout in layouts() if layout.merging)
    weight = torch.randn(6, 16)
    name = "backbone.stages.0.downsample.reduction.weight"
    found = rename({name: weight}, layout)[0]["backbone.stages.1.embed.reduction.weight"]
    x = torch.randn(1, 4, 2, 2)
    columns = torch.cat([x[:, :, row, column] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))], dim=1)
    assert torch.allclose(columns @ found.T, F.unfold(x, 2)[:, :, 0] @ weight.T, atol=1e-6)


def test_a_task_sets_defaults():
    assert SMALL.image_size == 512 and SMALL.preprocess.crop_mode == "squash" and SMALL.always_shifts
    assert SMALL.head == HeadConfiguration(hidden_size=12)
    assert ModelConfiguration.from_json(SMALL.to_json()) == SMALL
    assert "head" not in ModelConfiguration.for_variant("swin-t").to_dict()
    with pytest.raises(ConfigurationError, match="four maps"):
        ModelConfiguration.from_dict({"model_type": "cetnet", "variant": "pvt-s", "task": "segmentation"})
