"""Tests of what needs no engine: cases, ratios, tables, files. Run with pytest."""

import argparse
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Tools" / "python")]

from cases import BACKBONES, MORE, STANDARD, Case  # noqa: E402
from cetnet.commands import CommandError  # noqa: E402
from compare_precisions import KNOWN, text  # noqa: E402
from report import BEGIN, END, Measurement, Outcome, markdown, read_json, write_json, write_page  # noqa: E402

MACHINE = {"processor": "Some CPU", "architecture": "x86_64", "usable_processors": 2, "processors": 2,
           "operating_system": "Linux", "version": "1.0.0", "kernel_tier": "avx512", "openblas_version": "0.3",
           "openblas_core": "Zen", "swift_compiler": "Swift 6", "configuration": "release"}


def outcome(name: str, ours: list[float], **peers: list[float]) -> Outcome:
    measurements = {"cetnet": Measurement(1e-6, "1.0.0", "avx512")}
    measurements |= {peer: Measurement(2e-6, "2.0", "latency") for peer in peers}
    for engine, medians in {"cetnet": ours, **peers}.items():
        for median in medians:
            measurements[engine].add_round([median])
    return Outcome(Case.parse(name), MACHINE, measurements, 1e-4, [], {"median_ms": ours[-1]})


def test_names_of_cases_are_read_back():
    for case in STANDARD + MORE + BACKBONES:
        assert Case.parse(case.name) is case
    assert Case.parse("cetnet-t/224x320/b3/t2") == Case("cetnet-t", 224, 320, 3, 2)


@pytest.mark.parametrize("text", ["cetnet-t", "cetnet-t/224/1/1", "cetnet-t/31/b1/t1", "cetnet-t/224/b0/t1",
                                  "cetnet-t/224/b1/t65", "cetnet-t/224/b1/t1/avx512"])
def test_other_names_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        Case.parse(text)


def test_the_ratio_is_that_of_the_fastest_peer_round_by_round():
    found = outcome("cetnet-t/224/b1/t1", [100, 50, 80], Slow=[300, 300, 300], Fast=[150, 50, 160])
    assert found.fastest_peer == "Fast"
    assert found.ratio("Fast") == 1.5  # of 1.5, 1 and 2
    assert found.ratio("Slow") == 3.75
    assert found.meets_target
    assert not outcome("cetnet-t/224/b1/t2", [100], Fast=[129]).meets_target
    assert outcome("cetnet-t/64/b1/t1", [100], Fast=[50]).meets_target, "no target to miss"


def test_tables_show_ratios_targets_and_scaling():
    text = markdown([outcome("cetnet-t/224/b1/t1", [100], Peer=[110]), outcome("cetnet-t/224/b1/t2", [50], Peer=[75]),
                     outcome("cetnet-t/224/b8/t2", [480], Peer=[960])])
    assert "| cetnet-t/224/b1/t1 | 100.0 | 110.0 | **1.10** (Peer) | 1.2 missed |" in text
    assert "| cetnet-t/224/b1/t2 | 50.0 | 75.0 | **1.50** (Peer) | 1.3 |" in text
    assert "- cetnet-t/224/b1/t2: 2.00 times as fast as on one thread." in text
    assert "- cetnet-t/224/b8/t2: 60.0 ms per image, 50.0 ms at batch 1." in text


def test_precisions_show_times_beside_errors():
    def row(precision, engine, error, *medians):
        return {"precision": precision, "engine": engine, "version": "1.0", "settings": "fast",
                "median_ms": medians[0], "rounds": [{"median_ms": median} for median in medians],
                "relative_error": error}
    report = {"case": "cetnet-t/224/b1/t1", "machine": MACHINE | {"processors_used_by_others": 0.01}, "engines": [
        row("float32", "cetnet", 1e-7, 80, 82), row("int8", "cetnet int8", 0.02, 32),
        row("int8", "Peer", 0.05, 48, 47)]}
    table = text(report)
    assert "| int8 | Peer 1.0 | fast | 48.0 (47.0–48.0) | 1.50 | 5.0e-02 |" in table
    assert "| int8 | cetnet int8 1.0 | fast | 32.0 (32.0–32.0) |  | 2.0e-02 |" in table
    assert "Warning" not in table
    report["machine"]["processors_used_by_others"] = 0.4
    assert "Warning: the machine was busy, others used 0.4" in text(report)
    assert all(engine.name == name for engines in KNOWN.values() for name, engine in engines.items())


def test_reports_are_read_back(tmp_path):
    outcomes = [outcome("cetnet-t/224/b1/t1", [100, 90], Peer=[150, 140]), outcome("cetnet-s/64x96/b2/t2/avx2", [7])]
    path = tmp_path / "report.json"
    assert read_json(path) == []
    write_json(outcomes, path)
    assert read_json(path) == outcomes
    path.write_text('{"machine": {}}')
    with pytest.raises(CommandError, match="report.json"):
        read_json(path)


def test_only_the_part_of_the_page_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nAfter\n")
    outcomes = [outcome("cetnet-t/224/b1/t1", [100], Peer=[150])]
    write_page(outcomes, page, 5, 3)
    text = page.read_text()
    assert text.startswith(f"# Before\n{BEGIN}\nMachine: Some CPU") and text.endswith(f"\n{END}\nAfter\n")
    assert "old" not in text and markdown(outcomes) in text
    write_page(outcomes, page, 5, 3)
    assert page.read_text() == text
    page.write_text("# No markers\n")
    with pytest.raises(CommandError, match="page.md"):
        write_page(outcomes, page, 5, 3)
