#!/usr/bin/env python3
"""Compares the Swift engine in float32, bfloat16 and int8 with other engines in theirs: times beside errors.

An engine's error is the relative L2 difference of its logits from PyTorch's in double precision: speed at another
answer is no speed. Turns, rounds and settings are those of compare.py.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "Tools" / "python"))

from cases import Case  # noqa: E402
from cetnet.commands import CommandError, run  # noqa: E402
from compare import run_round, say  # noqa: E402
from engines import ENGINES  # noqa: E402
from files import Files  # noqa: E402
from peer import Peer, PeerError, SwiftEngine  # noqa: E402
from precisions import PRECISIONS  # noqa: E402
from report import Measurement, machine, replace  # noqa: E402

KNOWN = {"float32": {name: engine for name, engine in ENGINES.items() if name != "torch.compile"}} | PRECISIONS
DEFAULT_CASES = ["cetnet-t/224/b1/t1", "cetnet-t/224/b1/t2", "cetnet-t/224/b8/t2", "swin-t/224/b1/t1",
                 "cetnet-b/224/b1/t1"]
BUSY = 0.1
"""Processors kept busy by others from which on a warning is printed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Case.parse, metavar="CASE",
                        help="MODEL/SIZE/bBATCH/tTHREADS; default: " + " ".join(DEFAULT_CASES))
    parser.add_argument("--precisions", nargs="+", choices=list(KNOWN), default=list(KNOWN), metavar="NAME",
                        help="default: " + ", ".join(KNOWN))
    parser.add_argument("--engines", nargs="+", metavar="NAME",
                        choices=[name for engines in KNOWN.values() for name in engines],
                        help="peers to run; default: " + "; ".join(", ".join(engines) for engines in KNOWN.values()))
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--seconds", type=float, default=3, metavar="S", help="of each engine in a round; default: 3")
    parser.add_argument("--cetnet", type=Path, default=REPOSITORY / ".build/release/cetnet", metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    parser.add_argument("--cpus", type=lambda text: {int(cpu) for cpu in text.split(",")}, metavar="LIST",
                        help="hold every engine to these CPUs, for instance 0,1; default: the system decides")
    parser.add_argument("--files", type=Path, default=Path(tempfile.gettempdir()) / "cetnet-peers", metavar="DIR",
                        help="where models, exports and quantised models are kept between calls; default: cetnet-peers "
                             "in the temporary directory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or not arguments.seconds > 0:
        parser.error("--rounds is at least 1 and --seconds above 0")
    executable = arguments.cetnet.resolve()
    if not executable.is_file():
        raise CommandError(f"{executable} is not there; build it with swift build -c release")
    reports, failed = [], False
    for case in arguments.cases or [Case.parse(name) for name in DEFAULT_CASES]:
        try:
            report, problems = compare(case, executable, arguments)
        except PeerError as error:
            raise CommandError(f"{case.name}: {error}") from None
        reports.append(report)
        failed |= bool(problems)
        print(text(report), flush=True)
        for problem in problems:
            print(f"FAILED {case.name}: {problem}", file=sys.stderr)
        if arguments.json:  # after every case, so that an interrupted run is not lost
            replace(arguments.json, json.dumps(reports, indent=1) + "\n")
    return 1 if failed else 0


def compare(case: Case, executable: Path, arguments: argparse.Namespace) -> tuple[dict, list[str]]:
    """Loads every engine, notes its error, runs the rounds."""
    files = Files(arguments.files)
    say(f"{case.name}: exporting")
    model, onnx, images = files.model(case), files.onnx(case), files.images(case)
    expected = files.expected(case, images)

    def error(logits: np.ndarray) -> float:
        return float(np.linalg.norm(logits - expected) / np.linalg.norm(expected))

    rows: list[tuple[str, str, float]] = []
    measurements: dict[str, Measurement] = {}
    engines: list[SwiftEngine | Peer] = []
    problems: list[str] = []

    def add(engine: SwiftEngine | Peer, precision: str, **ready) -> None:
        logits = engine.logits
        engines.append(engine)
        rows.append((precision, engine.name, error(logits)))
        measurements[engine.name] = Measurement(difference=float(np.abs(logits - expected).max()), **ready)

    with tempfile.TemporaryDirectory(prefix="cetnet-precisions-") as temporary:
        folder = Path(temporary)
        try:
            for precision in arguments.precisions:
                add(SwiftEngine(executable, case, model, images, folder, "auto", arguments.cpus, precision), precision)
                for name in KNOWN[precision]:
                    if arguments.engines and name not in arguments.engines:
                        continue
                    say(f"{case.name}: loading {name}")
                    try:
                        peer = Peer(name, case, model, onnx, images, folder / f"{len(engines)}.npy",
                                    min(arguments.seconds, 2), False, arguments.cpus)
                        add(peer, precision, **peer.ready)
                    except PeerError as failure:
                        problems.append(str(failure))
            for number in range(arguments.rounds):
                run_round(case, number, engines, measurements, arguments.seconds)
        finally:
            for engine in engines:
                if isinstance(engine, Peer):
                    engine.close()
    for ours in (engine for engine in engines if isinstance(engine, SwiftEngine)):
        found = ours.machine.get("instructions", {})
        measurements[ours.name].version = ours.machine["version"]
        measurements[ours.name].choice = ", ".join([ours.machine["kernel_tier"], *found.values()])
    return {"case": case.name, "machine": ours.machine, "engines": [
        {"precision": precision, "engine": name, "version": measurements[name].version,
         "settings": measurements[name].choice, "median_ms": measurements[name].median_ms,
         "rounds": measurements[name].rounds, "relative_error": error} for precision, name, error in rows]}, problems


def text(report: dict) -> str:
    """A table: each engine's time and error, and its time over that of cetnet in the same precision."""
    lines = [f"{report['case']}. {machine(report['machine'])}", ""]
    busy = report["machine"].get("processors_used_by_others")
    if busy is None or busy > BUSY:
        lines += [f"Warning: the machine was busy, others used {'an unknown part' if busy is None else busy} of its "
                  "processors; times are too long.", ""]
    lines += ["| precision | engine | settings | ms per batch, median (rounds) | time / cetnet's | error |",
              "| --- | --- | --- | ---: | ---: | ---: |"]
    for row in report["engines"]:
        ours = next(other for other in report["engines"] if other["precision"] == row["precision"])
        medians = [found["median_ms"] for found in row["rounds"]]
        ratio = "" if row is ours else f"{row['median_ms'] / ours['median_ms']:.2f}"
        lines.append(f"| {row['precision']} | {row['engine']} {row['version']} | {row['settings']} "
                     f"| {row['median_ms']:.1f} ({min(medians):.1f}–{max(medians):.1f}) | {ratio} "
                     f"| {row['relative_error']:.1e} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run(main)
