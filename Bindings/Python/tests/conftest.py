"""The shipped model of digits, its images, and the command that results are compared with."""

import os
from pathlib import Path

import pytest

import cetnet

ROOT = Path(__file__).resolve().parents[3]
DIGITS = ROOT / "models" / "digits"


@pytest.fixture(scope="session")
def model() -> cetnet.Model:
    return cetnet.load(DIGITS, threads=1, concurrency=2)


@pytest.fixture(scope="session")
def paths() -> list[str]:
    return sorted(str(path) for path in (DIGITS / "images").glob("*.png"))


@pytest.fixture(scope="session")
def command() -> str:
    return os.environ.get("CETNET_COMMAND", str(ROOT / ".build" / "release" / "cetnet"))
