"""Export to ONNX, checked in ONNX Runtime and OpenVINO."""

import onnx
import pytest

import export_onnx
from cetnet.configuration import ModelConfiguration
from cetnet.initialization import randomize
from cetnet.model import CETNet

TINY = ModelConfiguration(dims=(32, 32, 32, 64), depths=(2, 1, 1, 1), num_heads=(1, 1, 1, 2), stem_channels=(8, 12),
                          num_labels=5)


@pytest.mark.parametrize("batch", [None, 2])
def test_export(tmp_path, batch, capsys):
    model = randomize(CETNet(TINY), seed=1)
    path = tmp_path / "model.onnx"
    export_onnx.export(model, path, (33, 50), batch)
    assert list(tmp_path.iterdir()) == [path], "one self-contained file"
    shape = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in shape] == [batch or 0, 3, 33, 50]
    assert export_onnx.check(model, path, (33, 50), batch) == 0, capsys.readouterr().out


def test_another_model_is_told_apart(tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx.export(randomize(CETNet(TINY), seed=1), path, (32, 32), 1)
    assert export_onnx.check(randomize(CETNet(TINY), seed=2), path, (32, 32), 1) == 1
