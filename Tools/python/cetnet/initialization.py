"""Weights: those that training starts from, and random ones that put every tensor to the test."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .attention import WindowAttention
from .model import CETNet
from .segmentation import SegmentationModel


def initialize_for_training(model: CETNet, seed: int) -> None:
    """Truncated normal (0.02) for linear layers and position biases, He's for convolutions, zero biases."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02, generator=generator)
        elif isinstance(module, nn.Conv2d):
            fan_out = module.weight[:, 0].numel() // module.groups
            nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5, generator=generator)
        elif isinstance(module, WindowAttention):
            nn.init.trunc_normal_(module.relative_position_bias_table, std=0.02, generator=generator)
        if isinstance(module, (nn.Linear, nn.Conv2d)) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for value in model.parameters(recurse=False):  # class token, position embeddings
        nn.init.trunc_normal_(value, std=0.02, generator=generator)


@torch.no_grad()
def randomize(model: CETNet | SegmentationModel, seed: int) -> CETNet | SegmentationModel:
    """Fills every tensor with seeded random values, none at its neutral value, and returns the model for inference.

    Scaled by fan-in so that activations keep their size through the network; scores of attention have a spread of
    about one, so that softmax neither saturates nor averages. The logits of a segmentation model have the same mean and
    spread for every class, on one image, so that many classes appear: else the one of the largest mean is everywhere.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor: Tensor, std: float) -> None:
        tensor.normal_(0, std, generator=generator)

    def uniform(tensor: Tensor, low: float, high: float) -> None:
        tensor.uniform_(low, high, generator=generator)

    backbone = model.backbone if isinstance(model, SegmentationModel) else model
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            # Convolutions without bias stand before batch normalisation; most of them read a GELU's output, whose mean
            # square is 0.43 of its input's.
            gain = 2 if module.bias is None else 1
            normal(module.weight, (gain / fan_in) ** 0.5)
            if module.bias is not None:
                normal(module.bias, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            uniform(module.weight, 0.6, 1.4)
            normal(module.bias, 0.2)
            normal(module.running_mean, 0.3)
            uniform(module.running_var, 0.5, 2)
        elif isinstance(module, nn.LayerNorm):
            uniform(module.weight, 0.6, 1.4)
            normal(module.bias, 0.2)
        elif isinstance(module, WindowAttention):
            normal(module.relative_position_bias_table, 0.5)
    for value in backbone.parameters(recurse=False):  # class token, position embeddings
        normal(value, 0.5)
    if isinstance(model, SegmentationModel):
        logits = model.eval()(random_images(1, 128, 128, seed)).transpose(0, 1).flatten(1)
        classifier, (spread, mean) = model.decode_head.conv_seg, torch.std_mean(logits, dim=1)
        classifier.bias.copy_((classifier.bias - mean) / spread)
        classifier.weight.div_(spread[:, None, None, None])
    return model.eval()


def random_images(batch: int, height: int, width: int, seed: int) -> Tensor:
    """Seeded (B, 3, H, W) with the spread of a normalised photograph: broad structure and fine noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(batch, 3, 6, 6, generator=generator)
    fine = torch.randn(batch, 3, height, width, generator=generator)
    structure = nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    return structure + 0.4 * fine
