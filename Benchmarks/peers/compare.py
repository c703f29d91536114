#!/usr/bin/env python3
"""Compares the speed of the Swift engine with PyTorch, torch.compile, ONNX Runtime and OpenVINO on the same weights."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "Tools" / "python"))

from cases import CASES, STANDARD, Case  # noqa: E402
from cetnet.commands import CommandError, run  # noqa: E402
from engines import ENGINES  # noqa: E402
from files import Files  # noqa: E402
from peer import OURS, UNRESTRICTABLE, Peer, PeerError, SwiftEngine  # noqa: E402
from report import Measurement, Outcome, markdown, ratios, read_json, write_json, write_page  # noqa: E402

TOLERANCE = 1e-4
IDLE_SHARE = 0.02

METHOD = """
How it is measured. For each case every engine gets the same random weights and images, and its logits are compared
with PyTorch's in double precision. Each peer loads in a process of its own, tries its recommended settings (memory
formats, streams) and keeps the fastest. Then come rounds: in each, every engine runs for some seconds, alone, in an
order that rotates; peers whose turn it is not sleep (checked by their processor time). `cetnet bench` is a fresh
process in every round. A round's figure is its median time per batch, an engine's figure the median over rounds, and
the ratio is the median over rounds of (fastest peer's time / cetnet's time) with the peer that is fastest over all
rounds.

ONNX Runtime has no setting for the instruction set, so it is left out of the cases held to AVX2. torch.compile needs
a C++ compiler. Allocators and the affinity of threads are everybody's own defaults.

Exits with status 0 if all engines ran and all outputs agree, 1 if not (or if a target is missed, with
--require-targets), 2 for an unusable call.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=METHOD, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Case.parse, metavar="CASE",
                        help="MODEL/SIZE/bBATCH/tTHREADS[/avx2], for instance cetnet-t/224/b8/t2; default: "
                             + " ".join(case.name for case in STANDARD))
    parser.add_argument("--all", action="store_true",
                        help="the default cases and " + " ".join(case.name for case in CASES[len(STANDARD):]))
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES), metavar="NAME",
                        help="peers to run; default: " + ", ".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--seconds", type=float, default=3, metavar="S", help="of each engine in a round; default: 3")
    parser.add_argument("--cetnet", type=Path, default=REPOSITORY / ".build/release/cetnet", metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    parser.add_argument("--backend", choices=["auto", "openblas"], default="auto", help="of cetnet; default: auto")
    parser.add_argument("--cpus", type=lambda text: {int(cpu) for cpu in text.split(",")}, metavar="LIST",
                        help="hold every engine to these CPUs, for instance 0,1; default: the system decides")
    parser.add_argument("--files", type=Path, default=Path(tempfile.gettempdir()) / "cetnet-peers", metavar="DIR",
                        help="where models and exports are kept between calls; default: cetnet-peers in the "
                             "temporary directory")
    parser.add_argument("--thorough", action="store_true",
                        help="also try settings of torch.compile that take long to prepare and are seldom faster")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    parser.add_argument("--add", action="store_true",
                        help="keep the other cases that --json's FILE already has, and show them too")
    parser.add_argument("--page", type=Path, metavar="FILE.md",
                        help="replace the part of this page between its 'peers' markers with the tables")
    parser.add_argument("--require-targets", action="store_true", help="exit with status 1 if a target is missed")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or not arguments.seconds > 0:
        parser.error("--rounds is at least 1 and --seconds above 0")
    if arguments.add and not arguments.json:
        parser.error("--add goes with --json")
    executable = arguments.cetnet.resolve()
    if not executable.is_file():
        raise CommandError(f"{executable} is not there; build it with swift build -c release")

    cases = list(dict.fromkeys(arguments.cases or (CASES if arguments.all else STANDARD)))
    kept = [outcome for outcome in (read_json(arguments.json) if arguments.add else []) if outcome.case not in cases]
    outcomes: list[Outcome] = []
    for case in cases:
        try:
            outcomes.append(compare(case, executable, arguments))
        except PeerError as error:
            raise CommandError(f"{case.name}: {error}") from None
        say(ratios(outcomes[-1:]))
        # After every case, so that an interrupted run is not lost.
        together = sorted(kept + outcomes, key=order)
        if arguments.json:
            write_json(together, arguments.json)
        if arguments.page:
            write_page(together, arguments.page, arguments.rounds, arguments.seconds)
    print(markdown(sorted(kept + outcomes, key=order)))
    failed = [outcome for outcome in outcomes if outcome.problems]
    for outcome in failed:
        for problem in outcome.problems:
            print(f"FAILED {outcome.case.name}: {problem}", file=sys.stderr)
    missed = [outcome for outcome in outcomes if not outcome.meets_target]
    for outcome in missed:
        print(f"{outcome.case.name}: target missed", file=sys.stderr)
    return 1 if failed or (missed and arguments.require_targets) else 0


def order(outcome: Outcome) -> tuple[int, str]:
    """The order of the lists of cases, then other cases."""
    return CASES.index(outcome.case) if outcome.case in CASES else len(CASES), outcome.case.name


def compare(case: Case, executable: Path, arguments: argparse.Namespace) -> Outcome:
    """Loads every engine, checks outputs, runs the rounds."""
    files = Files(arguments.files)
    say(f"{case.name}: exporting")
    model, onnx, images = files.model(case), files.onnx(case), files.images(case)
    expected = files.expected(case, images)
    tolerance = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    problems: list[str] = []
    measurements: dict[str, Measurement] = {}
    peers: list[Peer] = []

    def check(name: str, logits: np.ndarray) -> float:
        difference = float(np.abs(logits - expected).max()) if logits.shape == expected.shape else float("nan")
        if not difference <= tolerance:
            problems.append(f"{name}: largest difference {difference:.2e}, tolerance {tolerance:.2e}")
        return difference

    with tempfile.TemporaryDirectory(prefix="cetnet-peers-") as temporary:
        folder = Path(temporary)
        ours = SwiftEngine(executable, case, model, images, folder, arguments.backend, arguments.cpus)
        measurements[OURS] = Measurement(difference=check(OURS, ours.logits))
        try:
            for name in arguments.engines:
                if case.avx2 and name in UNRESTRICTABLE:
                    continue
                say(f"{case.name}: loading {name}")
                try:
                    peer = Peer(name, case, model, onnx, images, folder / f"{len(peers)}.npy",
                                min(arguments.seconds, 2), arguments.thorough, arguments.cpus)
                except PeerError as error:
                    problems.append(str(error))
                    continue
                peers.append(peer)
                measurements[name] = Measurement(difference=check(name, peer.logits), **peer.ready)
            for number in range(arguments.rounds):
                run_round(case, number, [ours, *peers], measurements, arguments.seconds)
        finally:
            for peer in peers:
                peer.close()
    last = ours.results[-1]
    measurements[OURS].version = ours.machine.get("version", "")
    measurements[OURS].choice = f"{ours.machine.get('kernel_tier', '')}, {arguments.backend}"
    measurements[OURS].peak_rss_bytes = max(result["peak_rss_bytes"] for result in ours.results)
    for key in ("load_ms", "first_run_ms"):
        setattr(measurements[OURS], key, statistics.median(result[key] for result in ours.results))
    return Outcome(case, ours.machine, measurements, tolerance, problems, last)


def run_round(case: Case, number: int, turns: list[SwiftEngine | Peer], measurements: dict[str, Measurement],
              seconds: float) -> None:
    """One turn for each engine, in an order that rotates."""
    peers = [engine for engine in turns if isinstance(engine, Peer)]
    turns = turns[number % len(turns):] + turns[:number % len(turns)]
    figures = []
    for engine in turns:
        time.sleep(0.3)  # threads that spin after their last task have gone to sleep
        others = [peer for peer in peers if peer is not engine]
        before = sum(peer.processor_seconds() for peer in others)
        start = time.monotonic()
        result = engine.measure(seconds)
        elapsed = time.monotonic() - start
        awake = (sum(peer.processor_seconds() for peer in others) - before) / elapsed
        if awake > IDLE_SHARE:
            say(f"warning: while {engine.name} ran, other engines used {awake:.0%} of a CPU")
        measurements[engine.name].add_round(result)
        figures.append(f"{engine.name} {measurements[engine.name].rounds[-1]['median_ms']:.1f}")
    say(f"{case.name}: round {number + 1}, ms per batch: {', '.join(figures)}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
