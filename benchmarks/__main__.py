"""`make bench`: prepare, measure, merge into results.json, write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import machine, report, venvs
from benchmarks.measure import BenchmarkError
from benchmarks.parts import PARTS, QUICK, Bench, Size, say, verify
from benchmarks.stage import replay

RESULTS = venvs.HERE / "results.json"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", help=f"parts, separated by commas, of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small, in minutes; nothing is stored")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    parser.add_argument("--repeat", type=int, help="rounds of each part")
    parser.add_argument("--repeat-waiting", type=int, help="rounds of the sequential at 150 ms")
    parser.add_argument("--records", type=int, help="records of the part cpu")
    parser.add_argument(
        "--tap", type=Path, default=venvs.PROJECT, help="another checkout of the tap to measure"
    )
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",") if chosen.only else list(PARTS)
    if unknown := set(chosen.only) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return chosen


def size(chosen: argparse.Namespace) -> Size:
    """How much is to be done."""
    asked = {
        "repeats": chosen.repeat,
        "waiting_repeats": chosen.repeat_waiting,
        "records": chosen.records,
    }
    base = QUICK if chosen.quick else Size()
    return replace(base, **{name: value for name, value in asked.items() if value})


def measure(chosen: argparse.Namespace, results: Path) -> None:
    """Run the parts, storing each as soon as it is done."""
    for name in (venvs.TAP, *venvs.PEERS):
        say(f"Environment {name} …")
        venvs.prepare(name, chosen.tap)
    with replay() as stage, tempfile.TemporaryDirectory() as folder:
        bench = Bench(stage, Path(folder), size(chosen))
        say("Does everybody deliver everything?")
        verify(bench)
        for name in chosen.only:
            say(f"{name}:")
            began = time.monotonic()
            part = PARTS[name](bench)
            stored = json.loads(results.read_text("utf-8")) if results.exists() else {}
            stored[name] = part | {"machine": machine.description()}
            results.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
            say(f"  {name} took {time.monotonic() - began:.0f} s")


def main() -> int:
    """Measure, then report.

    Returns:
        The exit status.
    """
    chosen = arguments()
    if chosen.report and not RESULTS.exists():
        say("Nothing was measured so far")
        return 1
    try:
        if chosen.quick:
            with tempfile.TemporaryDirectory() as folder:
                results = Path(folder) / "results.json"
                measure(chosen, results)
                sys.stdout.write(report.page(json.loads(results.read_text("utf-8"))))
            return 0
        if not chosen.report:
            measure(chosen, RESULTS)
        stored = json.loads(RESULTS.read_text("utf-8"))
    except BenchmarkError as error:
        say(f"Failed: {error}")
        return 1
    report.write(stored)
    return 0


if __name__ == "__main__":
    sys.exit(main())
