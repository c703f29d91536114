#!/usr/bin/env python3
"""Prints parameters and multiply-adds: of every known variant, or layer by layer of one model."""

import argparse
import json

from cetnet.commands import CommandError, image_size, run
from cetnet.configuration import ModelConfiguration
from cetnet.costs import layer_costs, multiply_adds, parameter_count
from cetnet.variants import VARIANTS


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="One multiply-add is two floating point operations. Counted are convolutions, linear layers and the two "
               "products of attention. Without a model, exits with status 1 if a count differs from its table.")
    parser.add_argument("model", nargs="?", metavar="VARIANT|CONFIG",
                        help="a known variant or a config.json; default: the table of all variants")
    parser.add_argument("--image-size", type=image_size, metavar="N|HxW", help="default: the configuration's")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()

    if arguments.model is None:
        if arguments.json or arguments.image_size:
            raise CommandError("--json and --image-size need a model")
        return print_variants()
    configuration = ModelConfiguration.for_variant(arguments.model) if arguments.model in VARIANTS \
        else ModelConfiguration.from_file(arguments.model)
    height, width = arguments.image_size or (configuration.image_size,) * 2
    rows = layer_costs(configuration, height, width)
    parameters, total = parameter_count(configuration), sum(row.multiply_adds for row in rows)
    if arguments.json:
        print(json.dumps({
            "variant": configuration.variant, "parameters": parameters, "multiply_adds": total,
            "layers": [{"name": row.name, "operator": row.operator, "output_shape": list(row.output_shape),
                        "parameters": row.parameters, "multiply_adds": row.multiply_adds} for row in rows]}))
        return 0
    print(f"{'layer':<40} {'operator':<16} {'output shape':<18} {'parameters':>12} {'multiply-adds':>15}")
    for row in rows:
        shape = "×".join(map(str, row.output_shape))
        print(f"{row.name:<40} {row.operator:<16} {shape:<18} {row.parameters:>12,} {row.multiply_adds:>15,}")
    print(f"{'total':<40} {'':<16} {f'{height}×{width} image':<18} {parameters:>12,} {total:>15,}")
    return 0


def print_variants() -> int:
    print(f"{'variant':<18} {'parameters':>12} {'multiply-adds':>15}  {'table':<20} published")
    failures = 0
    for row in VARIANTS.values():
        side = row.configuration.image_size
        parameters = parameter_count(row.configuration)
        total = multiply_adds(row.configuration, side, side)
        equal = (f"{parameters / 1e6:.3f}", f"{total / 1e9:.3f}") == (row.parameters, row.multiply_adds)
        failures += not equal
        print(f"{row.name:<18} {parameters:>12,} {total:>15,}  {f'{row.parameters} M, {row.multiply_adds} G':<20} "
              f"{row.published}{'' if equal else '  DIFFERS'}")
    return 1 if failures else 0


if __name__ == "__main__":
    run(main)
