"""What the way through Python costs, and what eight threads of Python reach.

    cetnet init cetnet-t --seed 1 --output /tmp/cetnet-t
    python Bindings/Python/benchmarks/overhead.py /tmp/cetnet-t

Compare the threads' images a second with `cetnet bench /tmp/cetnet-t --threads 1 --sessions 2` on as many CPUs.
"""

import argparse
import os
import statistics
import threading
import time

import numpy as np

import cetnet
from cetnet import _library


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--calls", type=int, default=100)
    options = parser.parse_args()
    cpus = len(os.sched_getaffinity(0))
    model = cetnet.load(options.model, threads=1, concurrency=cpus)
    tensor = np.random.default_rng(0).standard_normal((1, 3, model.image_size, model.image_size), dtype=np.float32)
    model.warm_up()

    # Inside of the library, by a clock around the one call that goes there.
    inside = [0.0]
    function = _library.library.cetnet_run

    def timed(*arguments):
        start = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            inside[0] = time.perf_counter() - start

    whole, outside = [], []
    _library.library.cetnet_run = timed
    for _ in range(options.calls):
        start = time.perf_counter()
        model.logits(tensor)
        whole.append(time.perf_counter() - start)
        outside.append(whole[-1] - inside[0])
    _library.library.cetnet_run = function
    run, python = statistics.median(whole), statistics.median(outside)
    print(f"one call: {run * 1e3:.3f} ms, of which Python {python * 1e6:.1f} µs, {100 * python / run:.2f} %")

    def work() -> None:
        for _ in range(options.calls):
            model.logits(tensor)

    threads = [threading.Thread(target=work) for _ in range(8)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = 8 * options.calls / (time.perf_counter() - start)
    print(f"8 threads of Python, {cpus} runs of one thread at the same time: {rate:.1f} images/s")


if __name__ == "__main__":
    main()
