"""Puts load on a running server that speaks the Open Inference Protocol, and says what came of it.

    python load.py 127.0.0.1:8000 cetnet-t --shape 1,3,224,224                    # closed loop, 1, 8 and 64 connections
    python load.py 127.0.0.1:8000 cetnet-t --shape 1,3,224,224 --open 48          # open loop, 50, 90, 120 % of 48 a second
    python load.py 127.0.0.1:8000 digits --image models/digits/images/digit-3-held-out-002.png

In a closed loop each connection sends its next request when it has its answer. In an open loop requests come at random
times at a given rate, whatever the answers: delays are counted from the time at which a request was due. Needs aiohttp.
Addresses other than this machine's are refused.
"""
import argparse
import asyncio
import json
import random
import struct
import time

import aiohttp


def body_of(arguments):
    """A request's body and headers."""
    if arguments.image:
        return open(arguments.image, "rb").read(), {"Inference-Header-Content-Length": "0"}
    shape = [int(extent) for extent in arguments.shape.split(",")]
    count = shape[0] * shape[1] * shape[2] * shape[3]
    chance = random.Random(1)
    numbers = struct.pack(f"<{count}f", *(chance.gauss(0, 1) for _ in range(count)))
    text = json.dumps({
        "inputs": [{"name": "image", "shape": shape, "datatype": "FP32",
                    "parameters": {"binary_data_size": len(numbers)}}],
        "parameters": {"binary_data_output": True}}).encode()
    return text + numbers, {"Inference-Header-Content-Length": str(len(text))}


class Outcome:
    def __init__(self):
        self.seconds, self.refused, self.failed, self.refusal_seconds = [], 0, 0, []

    async def ask(self, session, url, body, headers, due):
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                seconds = time.perf_counter() - due
                if answer.status == 200:
                    self.seconds.append(seconds)
                elif answer.status == 503:
                    self.refused += 1
                    self.refusal_seconds.append(seconds)
                else:
                    self.failed += 1
        except aiohttp.ClientError:
            self.failed += 1

    def row(self, name, elapsed):
        def at(values, share):
            return f"{sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1e3:.1f}" if values else "–"
        print(f"| {name} | {len(self.seconds) / elapsed:.1f} | {at(self.seconds, .5)} | {at(self.seconds, .99)} | "
              f"{self.refused} | {at(self.refusal_seconds, .99)} | {self.failed} |", flush=True)


async def closed(url, body, headers, connections, seconds):
    outcome, end = Outcome(), time.perf_counter() + seconds
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        await Outcome().ask(session, url, body, headers, time.perf_counter())

        async def client():
            while time.perf_counter() < end:
                await outcome.ask(session, url, body, headers, time.perf_counter())
        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(connections)))
    outcome.row(f"closed, {connections} connections", time.perf_counter() - start)


async def opened(url, body, headers, rate, share, seconds):
    outcome, chance, tasks = Outcome(), random.Random(1), []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        start = due = time.perf_counter()
        while due < start + seconds:
            due += chance.expovariate(rate * share)
            await asyncio.sleep(max(0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(outcome.ask(session, url, body, headers, due)))
        await asyncio.gather(*tasks)
    outcome.row(f"open, {share:.0%} of {rate:g}/s", time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="HOST:PORT")
    parser.add_argument("model")
    parser.add_argument("--shape", default="1,3,32,32", help="of a random tensor, sent as binary data")
    parser.add_argument("--image", help="send this file instead")
    parser.add_argument("--open", type=float, metavar="RATE", help="open loop; RATE is what the server can do a second")
    parser.add_argument("--seconds", type=float, default=20, help="for each row")
    arguments = parser.parse_args()
    if arguments.address.rsplit(":", 1)[0] not in ("127.0.0.1", "localhost", "[::1]"):
        parser.error("the load is for this machine only: 127.0.0.1")
    body, headers = body_of(arguments)
    url = f"http://{arguments.address}/v2/models/{arguments.model}/infer"
    print("| load | answers/s | p50 ms | p99 ms | refused | refusal p99 ms | failed |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    if arguments.open:
        for share in (0.5, 0.9, 1.2):
            asyncio.run(opened(url, body, headers, arguments.open, share, arguments.seconds))
    else:
        for connections in (1, 8, 64):
            asyncio.run(closed(url, body, headers, connections, arguments.seconds))


main()
