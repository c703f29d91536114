"""Models of public packages, with random weights, for comparisons. A test is skipped where a package is not there."""

import importlib
import os

import pytest
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded
_libraries = []  # declarations last as long as these objects


def package(name):
    """The package; the test is skipped if it is not installed."""
    if name in ("torchvision", "timm", "transformers"):
        _let_torchvision_import()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"needs {name} (pip install {name} --no-deps, and what it asks for): {error}")


def _let_torchvision_import():
    """torchvision's build for CUDA cannot load its operators beside PyTorch's for CPUs, yet looks for two of them."""
    if _libraries:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        try:
            getattr(torch.ops.torchvision, operator)
        except AttributeError:
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
