#!/usr/bin/env python3
"""Runs the commands that README.md shows after a `$`, and compares what they print with what stands there.

Numbers may differ by a ten-thousandth of themselves, because instruction sets round differently; everything else must be
the same. A line `…` stands for any number of lines. Exits with status 1 if anything differs.

    Scripts/check_figures.py [CETNET]     default: .build/release/cetnet
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def examples(text: str) -> list[tuple[str, list[str]]]:
    """Commands, and the lines below each up to the next command or paragraph."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("    $ cetnet "):
            found.append((line[6:], []))
            inside = True
        elif inside and line.startswith("    "):
            found[-1][1].append(line[4:])
        else:
            inside = False
    return found


def same(expected: str, found: str) -> bool:
    """Whether two lines differ in nothing but the last digits of numbers."""
    numbers = [list(map(float, NUMBER.findall(line))) for line in (expected, found)]
    return NUMBER.sub("#", expected).split() == NUMBER.sub("#", found).split() and all(
        abs(a - b) <= 1e-4 * max(abs(a), abs(b)) for a, b in zip(*numbers))


def problems(command: str, expected: list[str], executable: str) -> list[str]:
    result = subprocess.run(["bash", "-c", f'cetnet() {{ "{executable}" "$@"; }}; {command}'], cwd=ROOT, text=True,
                            capture_output=True)
    found = result.stdout.splitlines()
    ends = expected and expected[-1] == "…"
    if ends:
        expected = expected[:-1]
    if len(found) < len(expected) or not ends and len(found) > len(expected):
        return [f"{len(expected)} lines are shown, {len(found)} printed", result.stderr.strip()]
    return [f"shown   {a}\n  printed {b}" for a, b in zip(expected, found) if not same(a, b)]


def main() -> int:
    executable = str(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release/cetnet").resolve())
    shown = examples((ROOT / "README.md").read_text(encoding="utf-8"))
    version = re.search(r'current = "(.*)"', (ROOT / "Sources/CETNet/Version.swift").read_text())[1]
    if f'from: "{version}"' not in (ROOT / "README.md").read_text(encoding="utf-8"):
        print(f'Error: README.md does not name the version of Version.swift, from: "{version}"', file=sys.stderr)
        return 1
    if not shown:
        print("Error: README.md shows no commands", file=sys.stderr)
        return 1
    failed = 0
    for command, expected in shown:
        wrong = problems(command, expected, executable)
        failed += bool(wrong)
        if wrong:
            print(f"Error: README.md, {command}\n  " + "\n  ".join(wrong), file=sys.stderr)
    print(f"{len(shown) - failed} of {len(shown)} commands of README.md print what it says.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
