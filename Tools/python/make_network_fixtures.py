#!/usr/bin/env python3
"""Regenerates Tests/NetworkTests/Fixtures: what the PyTorch definition says about two small models.

For each model: `NAME.json`, its configuration; `NAME.parameters.txt`, the name and shape of every tensor of its
`state_dict`, sorted by name; `NAME.costs.txt`, multiply-adds for some image sizes.
"""

import argparse

from cetnet.commands import REPOSITORY
from cetnet.configuration import ModelConfiguration
from cetnet.costs import multiply_adds
from cetnet.model import CETNet

FIXTURES = REPOSITORY / "Tests" / "NetworkTests" / "Fixtures"

# Every number differs from its neighbours and from the defaults, so that none can be taken for another.
MODELS = {
    "small": ModelConfiguration(
        dims=(24, 40, 60, 96), depths=(1, 2, 3, 1), num_heads=(2, 5, 3, 8), mlp_ratios=(1, 2, 3, 4),
        stem_channels=(8, 12), window_size=5, image_size=96, num_labels=3, labels=("cat", "dog", "\"emu\"\n")),
    "seven-layers": ModelConfiguration(
        dims=(16, 24, 32, 40), depths=(1, 1, 1, 2), num_heads=(1, 2, 1, 4), mlp_ratios=(4, 3, 2, 1),
        stem_channels=(8, 16), ce_layers=7, window_size=4, image_size=64, num_labels=11, hidden_act="quick_gelu"),
}
SIZES = [(32, 32), (33, 47), (200, 168), (224, 224), (256, 320)]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    FIXTURES.mkdir(exist_ok=True)
    for name, configuration in MODELS.items():
        (FIXTURES / f"{name}.json").write_text(configuration.to_json(), encoding="utf-8")
        tensors = CETNet(configuration).state_dict()
        (FIXTURES / f"{name}.parameters.txt").write_text("".join(
            f"{tensor} {list(value.shape)}\n" for tensor, value in sorted(tensors.items())
            if not tensor.endswith("num_batches_tracked")))
        (FIXTURES / f"{name}.costs.txt").write_text("".join(
            f"{height} {width} {multiply_adds(configuration, height, width)}\n" for height, width in SIZES))


if __name__ == "__main__":
    main()
