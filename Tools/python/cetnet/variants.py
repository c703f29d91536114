"""The known models: `variants.json`, the table that `cetnet variants` prints too.

A row's `configuration` has the keys of `config.json`; its `variant` is an earlier row, from which the others differ.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from .configuration import ConfigurationError, ModelConfiguration

SOURCES = Path(__file__).parents[3] / "Sources"


@dataclass(frozen=True)
class Variant:
    """A row of the table of models.

    `parameters` (millions) and `multiply_adds` (billions, for an image of `size`) are this project's exact counts, rounded to the digits given, which `cetnet.costs` must reproduce; `published` is what papers print.
    """

    name: str
    configuration: ModelConfiguration
    parameters: str
    multiply_adds: str
    published: str
    size: tuple[int, int]


def _published(figures: dict[str, str]) -> str:
    parts = [figures.get("parameters"), figures.get("multiply_adds"),
             f"top-1 {figures['top1']}" if "top1" in figures else None,
             f"mean IoU {figures['mean_iou']}" if "mean_iou" in figures else None]
    return ", ".join(filter(None, parts))


def _variants() -> dict[str, Variant]:
    rows: dict[str, Variant] = {}
    for row in json.loads((SOURCES / "Networks/Variants/variants.json").read_bytes())["variants"]:
        values = row["configuration"]
        base = rows[values["variant"]].configuration if "variant" in values else None
        configuration = dataclasses.replace(ModelConfiguration.from_keys(values, base), variant=row["name"])
        configuration.validate(row["name"])
        counted = row["counted"]
        height = counted.get("image_size", configuration.image_size)
        rows[row["name"]] = Variant(
            row["name"], configuration, counted["parameters"].removesuffix(" M"),
            counted["multiply_adds"].removesuffix(" G"), _published((row.get("published") or [{}])[0]),
            (height, counted.get("image_width", height)))
    return rows


VARIANTS = _variants()


def variant(name: str) -> Variant:
    """A known variant by name."""
    if name not in VARIANTS:
        raise ConfigurationError(f"unknown variant {name!r}; known: {', '.join(VARIANTS)}")
    return VARIANTS[name]
