#!/usr/bin/env python3
"""Regenerates Tests/PublicCheckpointTests/Fixtures: small models that the public packages made and saved themselves.

Each is a directory as a user would have it, with random weights. Beside it lies NAME.expected.safetensors: images, and
what the package computes of them in float64, logits and what the classifier reads.
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from torch import nn

from cetnet.checkpoint import write_tensors
from cetnet.commands import REPOSITORY, CommandError, run
from cetnet.initialization import random_images
from cetnet.public_models import (
    embeddings, logits, package, save_timm, save_torchvision, save_transformers, save_upernet)

SIDE = 64
LARGEST = 350_000  # bytes of a directory
# All three, as PVT alone keeps a number of its own beside the labels.
LABELS = dict(num_labels=5, id2label=dict(enumerate("abcde")), label2id={"a": 0, "b": 1, "c": 2, "d": 3, "e": 4})
SQUARE = {"height": SIDE, "width": SIDE}
# Maps of 16, 8, 4 and 2 are whole windows: Transformers shrinks a window that is larger than its map.
SWIN = dict(embed_dim=8, depths=[1, 2, 1, 1], num_heads=[1, 2, 4, 8], window_size=2, mlp_ratio=2.0)


def transformers_swin(folder: Path) -> nn.Module:
    processor = dict(size=SQUARE, resample=3, image_mean=[0.48, 0.46, 0.41], image_std=[0.27, 0.26, 0.28])
    return save_transformers(folder, "swin", processor, image_size=SIDE, **LABELS, **SWIN)


def transformers_pvt(folder: Path) -> nn.Module:
    processor = dict(size=SQUARE, resample=2, rescale_factor=1 / 127.5, image_mean=[1.0, 0.9, 0.8],
                     image_std=[1.0, 0.5, 0.4])
    return save_transformers(
        folder, "pvt", processor, image_size=SIDE, hidden_sizes=[8, 16, 32, 64], depths=[1, 2, 1, 1],
        num_attention_heads=[1, 2, 4, 8], mlp_ratios=[4, 4, 2, 2], layer_norm_eps=1e-3, **LABELS)


def transformers_cvt(folder: Path) -> nn.Module:
    processor = dict(size={"shortest_edge": SIDE}, crop_pct=0.875, resample=1, image_mean=[0.485, 0.456, 0.406],
                     image_std=[0.229, 0.224, 0.225])
    # The port does not read its epsilon.
    return save_transformers(
        folder, "cvt", processor, embed_dim=[8, 16, 40], depth=[1, 2, 3], num_heads=[1, 2, 5],
        mlp_ratio=[4.0, 2.0, 2.0], layer_norm_eps=1e-2, **LABELS)


def transformers_upernet(folder: Path) -> nn.Module:
    # Windows that are no part of the maps, and larger than some.
    return save_upernet(folder, SWIN | dict(window_size=5), labels=6, side=SIDE, hidden_size=8, auxiliary_channels=4)


def timm_swin(folder: Path) -> nn.Module:
    data = dict(interpolation="bilinear", crop_pct=0.95, crop_mode="squash", mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.3))
    return save_timm(folder, "swin_tiny_patch4_window7_224", data, img_size=SIDE, num_classes=5, **SWIN)


def torchvision_swin(folder: Path) -> nn.Module:
    settings = SWIN | dict(patch_size=[4, 4], window_size=[2, 2], num_classes=5)
    module = package("torchvision").models.SwinTransformer(**settings)
    return save_torchvision(folder, module, "--image-size", SIDE, "--crop", 0.875)


FIXTURES: dict[str, Callable[[Path], nn.Module]] = {
    "transformers-swin": transformers_swin, "transformers-pvt": transformers_pvt, "transformers-cvt": transformers_cvt,
    "transformers-upernet": transformers_upernet,
    "timm-swin": timm_swin, "torchvision-swin": torchvision_swin}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Tests" / "PublicCheckpointTests" / "Fixtures",
                        metavar="DIR", help="default: Tests/PublicCheckpointTests/Fixtures")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for name, make in FIXTURES.items():
        shutil.rmtree(output / name, ignore_errors=True)
        module = make(output / name)
        images = random_images(1, SIDE, SIDE, seed=2)
        write_tensors({"images": images, "logits": logits(module, images).float(),
                       "embeddings": embeddings(module, images).float()},
                      output / f"{name}.expected.safetensors", {})
        size = sum(file.stat().st_size for file in (output / name).iterdir())
        print(f"{name}: {size:,} bytes")
        if size > LARGEST:
            raise CommandError(f"{output / name}: {size:,} bytes, expected at most {LARGEST:,}")
    return 0


if __name__ == "__main__":
    run(main)
