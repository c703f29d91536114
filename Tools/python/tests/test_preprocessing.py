"""Resizing and cropping against what the configuration's keys promise."""

import numpy as np
import pytest
import torch
from PIL import Image

from cetnet.configuration import INTERPOLATIONS, ModelConfiguration, PreprocessConfiguration
from cetnet.preprocessing import half, preprocess, resize_and_crop


def image(width, height):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("rounding, halves", [("even", [0, 0, 1, 2, 2, 2, 3, 4]), ("down", [0, 0, 1, 1, 2, 2, 3, 3])])
def test_half_of_a_margin(rounding, halves):
    assert [half(margin, rounding) for margin in range(8)] == halves


@pytest.mark.parametrize("mode, rounding, resized, corner", [
    ("center", "even", (45, 35), (6, 2)),  # margins 13 and 3: 6.5 and 1.5
    ("center", "down", (45, 35), (6, 1)),
    ("squash", "even", (35, 35), (2, 2)),
    ("squash", "down", (35, 35), (1, 1)),
])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_modes(mode, rounding, resized, corner, interpolation):
    source = image(90, 70)
    settings = PreprocessConfiguration(interpolation, 32 / 35, crop_mode=mode, crop_rounding=rounding)
    expected = source.resize(resized, Image.Resampling[interpolation.upper()])
    expected = np.asarray(expected)[corner[1]:corner[1] + 32, corner[0]:corner[0] + 32]
    assert np.array_equal(np.asarray(resize_and_crop(source, 32, settings)), expected)


def test_the_configuration_is_honoured():
    settings = PreprocessConfiguration("box", 1.0, mean=(0.1, 0.2, 0.3), std=(0.5, 1, 2), crop_mode="squash")
    configuration = ModelConfiguration.for_variant("swin-t", image_size=32, preprocess=settings)
    source = image(80, 33)
    pixels = np.asarray(source.resize((32, 32), Image.Resampling.BOX)).astype(np.float64) / 255
    expected = ((pixels - (0.1, 0.2, 0.3)) / (0.5, 1, 2)).transpose(2, 0, 1)
    found = preprocess(source, configuration)
    assert found.dtype == torch.float32 and np.abs(found.numpy() - expected).max() < 1e-6
