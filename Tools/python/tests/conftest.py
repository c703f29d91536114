import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
torch.set_num_threads(1)

from stand_in import answer  # noqa: E402

from cetnet.engine import Engine, EngineError  # noqa: E402


@pytest.fixture(scope="session")
def executable(tmp_path_factory):
    stand_in = Path(__file__).parent / "stand_in.py"
    path = tmp_path_factory.mktemp("bin") / "cetnet"
    path.write_text(f"#!/bin/sh\nexec {sys.executable} {stand_in} \"$@\"\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def call(executable, monkeypatch, capsys):
    """Calls a script's main with the stand-in inside this process; gives its status and what it printed."""
    def run(script, *arguments, fault=None):
        def answered(_, *call):
            if fault == "status":
                raise EngineError("status 1")
            return answer(call, fault)
        monkeypatch.setattr(Engine, "call", answered)
        monkeypatch.setattr(sys, "argv", ["script", "--cetnet", str(executable), *map(str, arguments)])
        return script.main(), capsys.readouterr().out
    return run
