"""The whole network.

    image (B, 3, H, W) → stem → stages { embedding → blocks } → norm → mean over tokens → head

Tensor names are those of the model files.
"""

from __future__ import annotations

from torch import Tensor, nn

from .blocks import BLOCKS
from .configuration import ModelConfiguration
from .embeddings import EMBEDDINGS, stem

MINIMUM_IMAGE_SIDE = 32


class Stage(nn.Module):
    """Embedding (map in, tokens out), then transformer blocks."""

    def __init__(self, configuration: ModelConfiguration, stage: int) -> None:
        super().__init__()
        self.embed = EMBEDDINGS[configuration.embeddings[stage]](configuration, stage)
        block = BLOCKS[configuration.block]
        self.blocks = nn.Sequential(*(
            block(configuration, stage, index) for index in range(configuration.depths[stage])))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C', H', W')."""
        return self.blocks(self.embed(x)).permute(0, 3, 1, 2)


class CETNet(nn.Module):
    """A model of this project, for any image of at least 32×32."""

    def __init__(self, configuration: ModelConfiguration) -> None:
        super().__init__()
        configuration.validate()
        self.configuration = configuration
        self.stem = stem(configuration)
        self.stages = nn.ModuleList(Stage(configuration, stage) for stage in range(configuration.stages))
        self.norm = nn.LayerNorm(configuration.dims[-1], eps=1e-5)
        self.head = nn.Linear(configuration.dims[-1], configuration.num_labels)

    def forward_features(self, image: Tensor) -> list[Tensor]:
        """The output of every stage, (B, C, H, W) each, before the final norm."""
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"expected images of shape (B, 3, H, W), found {tuple(image.shape)}")
        if min(image.shape[2:]) < MINIMUM_IMAGE_SIDE:
            raise ValueError(f"expected images of at least {MINIMUM_IMAGE_SIDE}×{MINIMUM_IMAGE_SIDE}, "
                             f"found {image.shape[2]}×{image.shape[3]}")
        x = self.stem(image)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

    def forward_head(self, feature: Tensor) -> Tensor:
        """The last stage's map (B, C, H, W) → logits (B, labels)."""
        tokens = self.norm(feature.permute(0, 2, 3, 1))
        return self.head(tokens.mean(dim=(1, 2)))

    def forward(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W), normalised → logits (B, labels)."""
        return self.forward_head(self.forward_features(image)[-1])
