#!/usr/bin/env python3
"""Regenerates the fixtures of the file formats' tests: small files made by the safetensors and NumPy packages.

The tests compute the expected values by the same formulas, so no reference values are stored beside the files.
The safetensors package writes metadata in random order: the files differ from run to run, their meaning does not.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from cetnet.commands import REPOSITORY, run


def ramp(*shape: int) -> np.ndarray:
    """Element i is (i - 5) / 4: exact in every floating point type."""
    return ((np.arange(int(np.prod(shape)), dtype=np.float32) - 5) / 4).reshape(shape)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Tests" / "CheckpointTests" / "Fixtures",
                        metavar="DIR", help="default: Tests/CheckpointTests/Fixtures")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "float": torch.from_numpy(ramp(2, 3, 4).copy()),
            "half": torch.from_numpy(ramp(3, 5).copy()).half(),
            "brain": torch.from_numpy(ramp(7).copy()).bfloat16(),
            "scalar": torch.tensor(2.5),
            "empty": torch.zeros(0, 3),
            "bn.num_batches_tracked": torch.tensor(12),
            "name with \"quotes\" and ümlaut": torch.from_numpy(ramp(2).copy()),
        },
        output / "mixed.safetensors",
        metadata={"format": "pt", "config": '{"a": "ü\\n"}'},
    )
    # The same with an odd header length, which the format allows: no tensor is aligned.
    data = (output / "mixed.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    (output / "unaligned.safetensors").write_bytes(
        (length + 1).to_bytes(8, "little") + data[8 : 8 + length] + b" " + data[8 + length :]
    )

    np.save(output / "c-order.npy", ramp(2, 3, 4))
    np.save(output / "fortran-order.npy", np.asfortranarray(ramp(2, 3, 4)))
    np.save(output / "half.npy", ramp(3, 5).astype("<f2"))
    np.save(output / "double.npy", ramp(3, 5).astype("<f8"))
    np.save(output / "vector.npy", ramp(7))
    np.save(output / "scalar.npy", np.float32(2.5))
    np.save(output / "empty.npy", np.zeros((0, 3), dtype="<f4"))
    # A head that falls on a multiple of 64 bytes before it is padded.
    np.save(output / "full-head.npy", ramp(*[1] * 12, 10, 10))
    for version in (2, 3):
        with open(output / f"version-{version}.npy", "wb") as file:
            np.lib.format.write_array(file, ramp(2, 3, 4), version=(version, 0))
    np.save(output / "integers.npy", np.arange(3, dtype="<i4"))
    return 0


if __name__ == "__main__":
    run(main)
