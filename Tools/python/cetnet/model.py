"""The whole network.

    image (B, 3, H, W) → stem → stages { embedding → blocks } → norm → mean over tokens → head

or, where there is a class token, norm and head of that. Tensor names are those of the model files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import BLOCKS
from .configuration import ModelConfiguration
from .embeddings import EMBEDDINGS, stem
from .layers import layer_norm

MINIMUM_IMAGE_SIDE = 32


class Stage(nn.Module):
    """Embedding (map in, tokens out), then transformer blocks."""

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        self.embed = EMBEDDINGS[configuration.embeddings[stage]](configuration, stage)
        block = BLOCKS[configuration.block]
        self.is_global = block.is_global
        self.blocks = nn.ModuleList(
            block(configuration, stage, index) for index in range(configuration.depths[stage]))

    def forward(self, x: Tensor, class_token: Tensor | None = None,
                position: PositionEmbedding | None = None) -> tuple[Tensor, Tensor | None]:
        """(B, C, H, W) → (B, C', H', W'), and the class token (B, C') if there is one."""
        x = self.embed(x)
        if not self.is_global:
            for block in self.blocks:
                x = block(x)
            return x.permute(0, 3, 1, 2), None
        size = (x.shape[1], x.shape[2])
        x = x.flatten(1, 2)
        if class_token is not None:
            x = torch.cat([class_token.expand(x.shape[0], -1, -1), x], dim=1)
        if position is not None:
            x = x + position(size)
        for block in self.blocks:
            x = block(x, size)
        if class_token is not None:
            class_token, x = x[:, 0], x[:, 1:]
        return x.transpose(1, 2).unflatten(2, size), class_token


class PositionEmbedding:
    """Learned vectors of a square of tokens, bilinearly interpolated to other sizes; a class token's comes first."""

    def __init__(self, values: Tensor, side: int) -> None:
        """`values` (1, side² or side² + 1, C)."""
        self.values, self.side = values, side

    def __call__(self, size: tuple[int, int]) -> Tensor:
        if size == (self.side, self.side):
            return self.values
        class_tokens = self.values.shape[1] - self.side ** 2
        square = self.values[:, class_tokens:].transpose(1, 2).unflatten(2, (self.side, self.side))
        square = F.interpolate(square, size=size, mode="bilinear", align_corners=False)
        return torch.cat([self.values[:, :class_tokens], square.flatten(2).transpose(1, 2)], dim=1)


class Backbone(nn.Module):
    """Stem and stages, for any image of at least 32×32. In a dense model each stage's map has a norm of its own."""

    def __init__(self, configuration: ModelConfiguration) -> None:
        super().__init__()
        configuration.validate()
        self.configuration = configuration
        dim, last = configuration.dims[-1], configuration.stages - 1
        self.stem = stem(configuration)
        self.stages = nn.ModuleList(Stage(configuration, stage) for stage in range(configuration.stages))
        if configuration.has_class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        if configuration.has_position_embeddings:
            for stage, side in enumerate(configuration.patch_sides):
                tokens = side ** 2 + (1 if stage == last and configuration.has_class_token else 0)
                values = nn.Parameter(torch.zeros(1, tokens, configuration.dims[stage]))
                self.register_parameter(f"pos_embed{stage + 1}", values)
        if configuration.is_dense:
            for stage, channels in enumerate(configuration.dims):
                self.add_module(f"norm{stage}", layer_norm(channels, configuration))

    def maps(self, image: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """The output of every stage, (B, C, H, W) each, and the class token (B, C) if there is one."""
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"expected images of shape (B, 3, H, W), found {tuple(image.shape)}")
        if min(image.shape[2:]) < MINIMUM_IMAGE_SIDE:
            raise ValueError(f"expected images of at least {MINIMUM_IMAGE_SIDE}×{MINIMUM_IMAGE_SIDE}, "
                             f"found {image.shape[2]}×{image.shape[3]}")
        configuration = self.configuration
        x, token = self.stem(image), None
        features = []
        for index, stage in enumerate(self.stages):
            position = None
            if configuration.has_position_embeddings:
                position = PositionEmbedding(getattr(self, f"pos_embed{index + 1}"), configuration.patch_sides[index])
            if configuration.has_class_token and index == configuration.stages - 1:
                token = self.cls_token
            x, token = stage(x, token, position)
            features.append(getattr(self, f"norm{index}")(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
                            if configuration.is_dense else x)
        return features, token


class CETNet(Backbone):
    """A classifier of this project."""

    def __init__(self, configuration: ModelConfiguration) -> None:
        super().__init__(configuration)
        dim = configuration.dims[-1]
        self.norm = layer_norm(dim, configuration, BLOCKS[configuration.block].norm_eps)
        self.head = nn.Linear(dim, configuration.num_labels)

    def forward_with_features(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, labels), and the output of every stage, (B, C, H, W) each, before the final norm."""
        features, token = self.maps(image)
        pooled = self.norm(features[-1].permute(0, 2, 3, 1)).mean(dim=(1, 2)) if token is None else self.norm(token)
        return self.head(pooled), features

    def forward(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W), normalised → logits (B, labels)."""
        return self.forward_with_features(image)[0]
