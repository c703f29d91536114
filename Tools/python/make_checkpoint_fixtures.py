#!/usr/bin/env python3
"""Writes Tests/CheckpointTests/Fixtures: small files made by the safetensors and NumPy packages themselves.

The tests compute the expected values by the same formulas, so no reference values are stored beside the files.
The safetensors package writes metadata in random order: the files differ from run to run, their meaning does not.
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests" / "CheckpointTests" / "Fixtures"


def ramp(*shape: int) -> np.ndarray:
    """Element i is (i - 5) / 4: exact in every floating point type."""
    return ((np.arange(int(np.prod(shape)), dtype=np.float32) - 5) / 4).reshape(shape)


def main() -> None:
    FIXTURES.mkdir(exist_ok=True)
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
        FIXTURES / "mixed.safetensors",
        metadata={"format": "pt", "config": '{"a": "ü\\n"}'},
    )
    # The same with an odd header length, which the format allows: no tensor is aligned.
    data = (FIXTURES / "mixed.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    (FIXTURES / "unaligned.safetensors").write_bytes(
        (length + 1).to_bytes(8, "little") + data[8 : 8 + length] + b" " + data[8 + length :]
    )

    np.save(FIXTURES / "c-order.npy", ramp(2, 3, 4))
    np.save(FIXTURES / "fortran-order.npy", np.asfortranarray(ramp(2, 3, 4)))
    np.save(FIXTURES / "half.npy", ramp(3, 5).astype("<f2"))
    np.save(FIXTURES / "double.npy", ramp(3, 5).astype("<f8"))
    np.save(FIXTURES / "vector.npy", ramp(7))
    np.save(FIXTURES / "scalar.npy", np.float32(2.5))
    np.save(FIXTURES / "empty.npy", np.zeros((0, 3), dtype="<f4"))
    # A head that falls on a multiple of 64 bytes before it is padded.
    np.save(FIXTURES / "full-head.npy", ramp(*[1] * 12, 10, 10))
    for version in (2, 3):
        with open(FIXTURES / f"version-{version}.npy", "wb") as file:
            np.lib.format.write_array(file, ramp(2, 3, 4), version=(version, 0))
    np.save(FIXTURES / "integers.npy", np.arange(3, dtype="<i4"))


if __name__ == "__main__":
    main()
