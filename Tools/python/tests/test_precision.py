"""The simulated number formats: ties, zeros, rows of one huge value."""

import pytest
import torch

from cetnet.checkpoint import CheckpointError
from cetnet.commands import CommandError
from cetnet.configuration import ModelConfiguration
from cetnet.model import CETNet
from cetnet.precision import load_quantized, quantize, round_bfloat16, simulate


def test_integers_are_rounded_to_even() -> None:
    integers, scale = quantize(torch.tensor([[127, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5]]))
    assert integers.tolist() == [[127, 0, 2, 2, 0, -2, 126]] and scale.item() == 1


def test_rows_without_values_are_zero() -> None:
    integers, scale = quantize(torch.tensor([[0.0, -0.0], [2.0 ** -101, 0], [1e30, 1]]))
    assert integers.tolist() == [[0, 0], [0, 0], [127, 0]]
    assert scale.flatten().tolist()[:2] == [0, 0]


def test_bfloat16_ties_and_denormals() -> None:
    x = torch.tensor([0x3F808000, 0x3F818000, 0x3F808001, 0x00400000], dtype=torch.int32).view(torch.float32)
    assert round_bfloat16(x).view(torch.int32).tolist() == [0x3F800000, 0x3F820000, 0x3F810000, 0]


def test_quantised_files_lack_nothing() -> None:
    configuration = ModelConfiguration.for_variant("cetnet-t", precision="int8", num_labels=3)
    with pytest.raises(CheckpointError, match="q.safetensors.*\n.*missing tensor stem.1.*conv.weight"):
        load_quantized(CETNet(configuration), {}, "q.safetensors")


def test_unknown_precisions_are_refused() -> None:
    model = CETNet(ModelConfiguration.for_variant("cetnet-t"))
    with pytest.raises(CommandError, match="int4"):
        simulate(model, "int4")
