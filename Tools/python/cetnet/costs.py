"""Parameters and multiply-adds of a model, layer by layer.

A multiply-add is what vision papers print as a "FLOP"; it is two floating point operations. Counted are convolutions,
linear layers and the two products of attention, for one image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .configuration import ModelConfiguration
from .segmentation import build


@dataclass(frozen=True)
class LayerCost:
    name: str
    operator: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def layer_costs(configuration: ModelConfiguration, height: int, width: int) -> list[LayerCost]:
    """One row per layer in the order of execution. Runs the model without data, on the "meta" device.

    A module with a method `multiply_adds` (attention) is one row and answers for its children.
    """
    with torch.device("meta"):
        model = build(configuration).eval()
    rows: list[LayerCost] = []

    def count(name: str, module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        if hasattr(module, "multiply_adds"):
            multiply_adds = module.multiply_adds(*inputs)
        elif isinstance(module, nn.Conv2d):
            kernel_height, kernel_width = module.kernel_size
            multiply_adds = output.numel() * (module.in_channels // module.groups) * kernel_height * kernel_width
        elif isinstance(module, nn.Linear):
            multiply_adds = inputs[0].numel() * module.out_features
        else:
            multiply_adds = 0
        rows.append(LayerCost(name, type(module).__name__, tuple(output.shape[1:]),
                              sum(p.numel() for p in module.parameters()), multiply_adds))

    def visit(name: str, module: nn.Module) -> None:
        children = list(module.named_children())
        if hasattr(module, "multiply_adds") or (not children and any(True for _ in module.parameters())):
            module.register_forward_hook(lambda module, inputs, output: count(name, module, inputs, output))
            return
        for child, submodule in children:
            visit(f"{name}.{child}" if name else child, submodule)

    visit("", model)
    # Class token and position embeddings stand at the root.
    rows += [LayerCost(name, "Parameter", tuple(value.shape[1:]), value.numel(), 0)
             for name, value in model.named_parameters(recurse=False)]
    with torch.no_grad():
        model(torch.empty(1, 3, height, width, device="meta"))
    return rows


def parameter_count(configuration: ModelConfiguration) -> int:
    """Trained scalars: weights, biases, scales, position biases, class tokens; not running statistics."""
    with torch.device("meta"):
        return sum(p.numel() for p in build(configuration).parameters())


def multiply_adds(configuration: ModelConfiguration, height: int, width: int) -> int:
    """Multiply-adds for one image of a size."""
    return sum(row.multiply_adds for row in layer_costs(configuration, height, width))
