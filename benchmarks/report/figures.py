"""Figures of a part: medians, spreads, ratios, and tables of them."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.field import CONTESTANTS
from benchmarks.stage import PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABELS = {each.name: each.label for each in CONTESTANTS}


def middle(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    """The median of a figure."""
    return float(median(run[key] for run in runs))


def spread(runs: Sequence[Mapping[str, Any]], key: str, unit: float = 1, digits: int = 2) -> str:
    """The median, with the lowest and the highest."""
    values = [run[key] / unit for run in runs]
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    text = f"{median(values):.{digits}f}"
    return text if low == high else f"{text} ({low} to {high})"


def marginal(part: Mapping[str, Any], name: str) -> float:
    """CPU seconds for 100,000 records, what starting costs taken off."""
    more: float = middle(part["runs"][name], "cpu") - middle(part["page"][name], "cpu")
    records: int = part["records"] - PER_PAGE
    return more / records * 100_000


def ideal(part: Mapping[str, Any], at_once: int) -> float:
    """Seconds that the pages take at best."""
    return float(part["pages"] * part["latency"] / at_once)


def least_seconds(part: Mapping[str, Any], case: Mapping[str, Any]) -> float:
    """What so many requests take at least: full windows, and the last one as fast as allowed."""
    windows = math.ceil(case["requests"] / part["limit"]) - 1
    last = case["requests"] - windows * part["limit"]
    return float(windows * part["window"] + last / (part["per_second"] * case["processes"]))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, all columns but the first to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
