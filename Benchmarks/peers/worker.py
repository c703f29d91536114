#!/usr/bin/env python3
"""Runs one engine for compare.py: loads, says so, and then runs whenever it is told to, asleep in between.

Reads one JSON object per line from standard input, writes one per line to its original standard output.
First line: the problem. Answer: {"ready": …}. Then {"seconds": s}: answer {"times_ms": […]}. End of input ends it.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Tools" / "python"))

from engines import ENGINES, Problem, fastest, measure  # noqa: E402
from precisions import PRECISIONS  # noqa: E402


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not come between the answers

    request = json.loads(sys.stdin.readline())
    engines = [ENGINES, *PRECISIONS.values()]
    engine = next(some[request["engine"]] for some in engines if request["engine"] in some)
    problem = Problem(
        model=Path(request["model"]), onnx={int(batch): Path(path) for batch, path in request["onnx"].items()},
        images=np.load(request["images"]), threads=request["threads"], avx2=request["avx2"],
        thorough=request["thorough"])
    version = engine.version()
    start = time.perf_counter()
    candidates = iter(engine.candidates(problem))
    first = next(candidates)
    loaded = time.perf_counter()
    first.run()
    ran = time.perf_counter()
    memory = peak_memory()

    def all_candidates():
        yield first
        yield from candidates
    chosen = fastest(all_candidates(), request["calibration_seconds"])
    np.save(request["logits"], chosen.run())
    print(json.dumps({"ready": {
        "version": version, "choice": chosen.name, "load_ms": (loaded - start) * 1000,
        "first_run_ms": (ran - loaded) * 1000, "peak_rss_bytes": memory}}), file=answers)
    for line in sys.stdin:
        print(json.dumps({"times_ms": measure(chosen, json.loads(line)["seconds"])}), file=answers)


def peak_memory() -> int:
    """Bytes. getrusage would count the memory of the process that started this one."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
