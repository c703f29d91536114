"""Figures, ratios, and how they are written."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cases import Case
from peer import OURS
from cetnet.commands import CommandError

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


@dataclass
class Measurement:
    """What one engine showed in one case."""

    difference: float
    """Largest difference of its logits from the expected ones."""
    version: str = ""
    choice: str = ""
    """The settings that it ran with."""
    load_ms: float = 0
    first_run_ms: float = 0
    peak_rss_bytes: int = 0
    """Resident memory after its first run."""
    rounds: list[dict[str, float]] = field(default_factory=list)

    def add_round(self, result: list[float] | dict[str, Any]) -> None:
        """Takes the times of a peer's runs, or a result of `cetnet bench`."""
        if isinstance(result, dict):
            self.rounds.append({key: result[key] for key in ("median_ms", "mean_ms", "min_ms", "max_ms")})
        else:
            self.rounds.append({"median_ms": statistics.median(result), "mean_ms": statistics.fmean(result),
                                "min_ms": min(result), "max_ms": max(result)})

    @property
    def median_ms(self) -> float:
        """Median over rounds of a round's median."""
        return statistics.median(round["median_ms"] for round in self.rounds)


@dataclass
class Outcome:
    """One case, finished."""

    case: Case
    machine: dict[str, Any]
    measurements: dict[str, Measurement]
    tolerance: float
    problems: list[str]
    bench: dict[str, Any]
    """The last round's result of `cetnet bench`."""

    @property
    def fastest_peer(self) -> str | None:
        peers = [name for name in self.measurements if name != OURS]
        return min(peers, key=lambda name: self.measurements[name].median_ms, default=None)

    def ratio(self, peer: str) -> float:
        """How many times as fast as a peer: the median over rounds of its time / ours."""
        pairs = zip(self.measurements[peer].rounds, self.measurements[OURS].rounds)
        return statistics.median(theirs["median_ms"] / ours["median_ms"] for theirs, ours in pairs)

    @property
    def meets_target(self) -> bool:
        peer = self.fastest_peer
        return self.case.target is None or peer is None or self.ratio(peer) >= self.case.target


def markdown(outcomes: list[Outcome]) -> str:
    """The tables."""
    return "\n\n".join(part for part in (ratios(outcomes), scaling(outcomes), details(outcomes)) if part)


def ratios(outcomes: list[Outcome]) -> str:
    """One line per case: milliseconds per batch of each engine, and how many times as fast the Swift engine is."""
    names = list(dict.fromkeys(name for outcome in outcomes for name in outcome.measurements))
    lines = ["| case | " + " | ".join(f"{name}, ms" for name in names) + " | fastest peer / cetnet | target |",
             "| --- |" + " ---: |" * (len(names) + 2)]
    for outcome in outcomes:
        cells = [f"{outcome.measurements[name].median_ms:.1f}" if name in outcome.measurements else "–"
                 for name in names]
        peer = outcome.fastest_peer
        ratio = f"**{outcome.ratio(peer):.2f}** ({peer})" if peer else "–"
        target = "–" if outcome.case.target is None else \
            f"{outcome.case.target:g}{'' if outcome.meets_target else ' missed'}"
        lines.append(f"| {outcome.case.name} | {' | '.join(cells)} | {ratio} | {target} |")
    return "\n".join(lines)


def scaling(outcomes: list[Outcome]) -> str:
    """What two threads and larger batches gain, where both cases are there."""
    def find(batch: int, threads: int, like: Case) -> Outcome | None:
        return next((other for other in outcomes if (other.case.model, other.case.size, other.case.avx2) ==
                     (like.model, like.size, like.avx2)
                     and (other.case.batch, other.case.threads) == (batch, threads)), None)

    lines = []
    for outcome in outcomes:
        case, time = outcome.case, outcome.measurements[OURS].median_ms
        if case.threads > 1 and (single := find(case.batch, 1, case)):
            gain = single.measurements[OURS].median_ms / time
            lines.append(f"- {case.name}: {gain:.2f} times as fast as on one thread.")
        if case.batch > 1 and (one := find(1, case.threads, case)):
            lines.append(f"- {case.name}: {time / case.batch:.1f} ms per image, "
                         f"{one.measurements[OURS].median_ms:.1f} ms at batch 1.")
    return "\n".join(lines)


def details(outcomes: list[Outcome]) -> str:
    lines = ["| case | engine | settings | ms per batch, median (rounds) | images/s | load, ms | first run, ms "
             "| resident, MiB | difference |",
             "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for outcome in outcomes:
        for name, found in outcome.measurements.items():
            medians = [round["median_ms"] for round in found.rounds]
            lines.append(
                f"| {outcome.case.name} | {name} {found.version} | {found.choice} "
                f"| {found.median_ms:.1f} ({min(medians):.1f}–{max(medians):.1f}) "
                f"| {1000 * outcome.case.batch / found.median_ms:.2f} | {found.load_ms:.0f} "
                f"| {found.first_run_ms:.0f} | {found.peak_rss_bytes / 2**20:.0f} | {found.difference:.1e} |")
    return "\n".join(lines)


def write_json(outcomes: list[Outcome], path: Path) -> None:
    """Every figure of every round."""
    objects = []
    for outcome in outcomes:
        peer = outcome.fastest_peer
        objects.append({
            "case": outcome.case.name, "model": outcome.case.model, "image_size": outcome.case.size,
            "batch": outcome.case.batch, "threads": outcome.case.threads, "avx2": outcome.case.avx2,
            "target": outcome.case.target, "fastest_peer": peer,
            "ratios": {name: outcome.ratio(name) for name in outcome.measurements if name != OURS},
            "tolerance": outcome.tolerance, "problems": outcome.problems,
            "engines": {name: asdict(found) | {"median_ms": found.median_ms}
                        for name, found in outcome.measurements.items()},
            "bench": outcome.bench})
    machine = outcomes[0].machine if outcomes else {}
    replace(path, json.dumps({"machine": machine, "cases": objects}, indent=1) + "\n")


def read_json(path: Path) -> list[Outcome]:
    """What `write_json` wrote; nothing if there is no file yet."""
    if not path.exists():
        return []
    try:
        report = json.loads(path.read_text())
        return [Outcome(Case.parse(found["case"]), report["machine"],
                        {name: Measurement(**{key: value for key, value in figures.items() if key != "median_ms"})
                         for name, figures in found["engines"].items()},
                        found["tolerance"], found["problems"], found["bench"]) for found in report["cases"]]
    except (OSError, ValueError, KeyError, TypeError, argparse.ArgumentTypeError) as error:
        raise CommandError(f"{path}: no report of this program: {error}") from None


def write_page(outcomes: list[Outcome], path: Path, rounds: int, seconds: float) -> None:
    """Replaces what stands between the page's markers."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise CommandError(f"{path}: no lines {BEGIN} and {END}")
    body = f"{machine(outcomes[0].machine)}\n{rounds} rounds of {seconds:g} s.\n\n{markdown(outcomes)}"
    replace(path, f"{before}{BEGIN}\n{body}\n{END}{after}")


def machine(found: dict[str, Any]) -> str:
    """What `cetnet bench` says about the machine, in a sentence or two."""
    return (f"Machine: {found['processor']} ({found['architecture']}), {found['usable_processors']} of "
            f"{found['processors']} processors, {found['operating_system']}. cetnet {found['version']}, kernels "
            f"{found['kernel_tier']}; OpenBLAS {found['openblas_version']}, core {found['openblas_core']}; "
            f"{found['swift_compiler']}, {found['configuration']}.")


def replace(path: Path, text: str) -> None:
    """Writes a file beside `path`, then renames it."""
    path = path.resolve()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
