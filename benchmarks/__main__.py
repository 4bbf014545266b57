"""`make bench`: prepare, measure, add to results.json, write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import venvs
from benchmarks.bench import QUICK, Size, say
from benchmarks.measure import BenchmarkError
from benchmarks.parts import PARTS
from benchmarks.report import page
from benchmarks.series import Series

RESULTS = venvs.HERE / "results.json"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", help=f"parts, separated by commas, of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small, in minutes; nothing is stored")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    parser.add_argument("--repeat", type=int, help="rounds of each part")
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
    asked = {"repeats": chosen.repeat, "records": chosen.records}
    base = QUICK if chosen.quick else Size()
    return replace(base, **{name: value for name, value in asked.items() if value})


def measure(chosen: argparse.Namespace, results: Path) -> list[str]:
    """Prepare the environments, and run the parts.

    Returns:
        The parts that failed.
    """
    began = time.monotonic()
    for name in (venvs.TAP, *venvs.PEERS):
        say(f"Environment {name} …")
        venvs.prepare(name, chosen.tap)
    with tempfile.TemporaryDirectory() as folder:
        series = Series(Path(folder), size(chosen), results)
        failed = series.run(chosen.only)
    say(f"All of it took {(time.monotonic() - began) / 60:.1f} minutes")
    return failed


def main() -> int:
    """Measure, then report.

    Returns:
        The exit status.
    """
    chosen = arguments()
    if chosen.report and not RESULTS.exists():
        say("Nothing was measured so far")
        return 1
    failed: list[str] = []
    try:
        if chosen.quick:
            with tempfile.TemporaryDirectory() as folder:
                results = Path(folder) / "results.json"
                failed = measure(chosen, results)
                if results.exists():
                    sys.stdout.write(page.page(json.loads(results.read_text("utf-8"))))
        else:
            if not chosen.report:
                failed = measure(chosen, RESULTS)
            page.write(json.loads(RESULTS.read_text("utf-8")))
    except BenchmarkError as error:
        say(f"Failed: {error}")
        return 1
    for name in failed:
        say(f"Failed: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
