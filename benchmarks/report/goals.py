"""The goals, how they went, and why those were missed that were."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from benchmarks import venvs
from benchmarks.field import MODELS
from benchmarks.report.figures import ideal, least_seconds, marginal, middle, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOTES = venvs.HERE / "notes.md"
"""Written by hand: below the key of a goal, why it is missed and what was tried."""


Key = Literal[
    "requests-first",
    "requests-idle",
    "requests-interval",
    "records-idle",
    "books",
    "latency-4",
    "latency-16",
    "in-flight",
    "cpu-sdk",
    "cpu-airbyte",
    "cpu-floor",
    "discover",
    "about",
    "memory",
    "unified",
    "unified-lines",
    "window-one",
    "refused-one",
    "window-two",
    "refused-two",
]


class Goal(NamedTuple):
    """A goal, and how it went.

    Attributes:
        key: Names it in the notes.
        text: What was to be reached.
        figure: What was measured.
        missed_by: By how much it is missed; None if it is met.
    """

    key: Key
    text: str
    figure: str
    missed_by: str | None


def at_most(key: Key, text: str, figure: float, limit: float, unit: str = "") -> Goal:
    """A ratio, or an amount, that is not to be above a limit."""
    missed = None if figure <= limit else f"{figure / limit - 1:.1%}"
    return Goal(key, text, f"{beside(figure, limit)}{unit}", missed)


def count_at_most(key: Key, text: str, figure: int, limit: int) -> Goal:
    """A count that is not to be above a limit."""
    return Goal(key, text, f"{figure:,}", None if figure <= limit else f"{figure - limit:,}")


def at_least(key: Key, text: str, figure: float, limit: float) -> Goal:
    """A share that is not to be below a limit."""
    missed = None if figure >= limit else f"{1 - figure / limit:.1%}"
    return Goal(key, text, beside(figure, limit), missed)


def beside(figure: float, limit: float) -> str:
    """A figure, with as many digits as it takes to see on which side of its limit it is."""
    for digits in (2, 3, 4):
        shown = round(figure, digits)
        if (shown < limit, shown > limit) == (figure < limit, figure > limit):
            break
    return f"{figure:,.{digits}f}"


def _requests(part: Mapping[str, Any]) -> Iterator[Goal]:
    runs = part["readers"]["tap"]["runs"]
    asked = {name: run["requests"] for name, run in runs.items()}
    text = "First run of the default streams, three businesses: at most 150 requests"
    yield count_at_most("requests-first", text, asked["first"], 150)
    text = "The same with nothing new: at most 100 requests"
    yield count_at_most("requests-idle", text, asked["idle"], 100)
    if interval := part["readers"].get("tap, interval"):
        text = "The same with `full_table_interval`: at most 60 requests"
        figure = interval["runs"]["idle"]["requests"]
        yield count_at_most("requests-interval", text, figure, 60)
    text = "Nothing new: no record"
    yield count_at_most("records-idle", text, runs["idle"]["records"], 0)
    differ = sum(part["readers"]["tap"]["outdated"].values())
    differ += sum(sum(run[side].values()) for run in runs.values() for side in DIFFERENCES)
    text = "After each of these runs, and one after changes, the target is like the books"
    yield count_at_most("books", text, differ, 0)


DIFFERENCES = ("missing", "surplus")


def _cpu(part: Mapping[str, Any]) -> Iterator[Goal]:
    own = marginal(part, "tap")
    others: tuple[tuple[Key, str, str, float], ...] = (
        ("cpu-sdk", "sdk-default", "0.20 of an SDK-default tap", 0.2),
        ("cpu-airbyte", "airbyte", "1/4 of Airbyte's CDK", 1 / 4),
        ("cpu-floor", "decode-encode", "1.4 × fetch, decode, encode", 1.4),
    )
    for key, name, least, limit in others:
        text = f"CPU per record, at most {least}"
        yield at_most(key, text, own / marginal(part, name), limit, " ×")


def _latency(part: Mapping[str, Any]) -> Iterator[Goal]:
    shares: tuple[tuple[Key, int, float], ...] = (("latency-4", 4, 0.95), ("latency-16", 16, 0.85))
    for key, at_once, limit in shares:
        if runs := part["runs"].get(f"tap, {at_once} at once"):
            text = f"{part['pages']:,} pages at 150 ms, {at_once} at once: at least {limit} of the"
            share = ideal(part, at_once) / middle(runs, "wall")
            yield at_least(key, f"{text} ideal", share, limit)
            text = f"Never more than `max_concurrency` ({at_once}) in flight"
            most = max(run["most_in_flight"] for run in runs)
            yield count_at_most("in-flight", text, most, at_once)


def _memory(part: Mapping[str, Any]) -> Iterator[Goal]:
    megabytes = middle(part["runs"]["tap"], "memory") / 1e6
    yield at_most("memory", f"{part['records']:,} records in at most 150 MB", megabytes, 150, " MB")


def _startup(part: Mapping[str, Any]) -> Iterator[Goal]:
    base = middle(part["runs"]["import singer_sdk"], "cpu")
    keys: tuple[Key, ...] = ("discover", "about")
    for key in keys:
        text = f"`--{key}`: at most 1.25 × the CPU of `import singer_sdk`"
        ratio = middle(part["runs"][f"--{key}"], "cpu") / base
        yield at_most(key, text, ratio, 1.25, " ×")


def _unified(part: Mapping[str, Any]) -> Iterator[Goal]:
    keys: tuple[Key, ...] = ("unified", "unified-lines")
    for key, (native, model) in zip(keys, MODELS, strict=True):
        one, other = (middle(part["runs"][each.name], "wall") for each in (native, model))
        text = f"{' and '.join(f'`{name}`' for name in model.streams)}: at most 1.5 × native"
        yield at_most(key, text, other / one, 1.5, " ×")


def _window(part: Mapping[str, Any]) -> Iterator[Goal]:
    cases: tuple[tuple[str, Key, float, Key, int], ...] = (
        ("one", "window-one", 1.05, "refused-one", 0),
        ("two", "window-two", 1.15, "refused-two", 9),
    )
    for name, key, most, refused_key, refused in cases:
        case = part["cases"][name]
        who = "One process" if name == "one" else "Two processes that share the window"
        who = f"{who}, {part['limit']} requests a minute: at most"
        ratio = case["seconds"] / least_seconds(part, case)
        yield at_most(key, f"{who} {most} × the least time", ratio, most, " ×")
        yield count_at_most(refused_key, f"{who} {refused} refused", case["refused"], refused)


GOALS: dict[str, Callable[[Mapping[str, Any]], Iterator[Goal]]] = {
    "requests": _requests,
    "window": _window,
    "latency": _latency,
    "cpu": _cpu,
    "startup": _startup,
    "memory": _memory,
    "unified": _unified,
}


def goals(results: Mapping[str, Mapping[str, Any]]) -> Iterator[Goal]:
    """All goals that something was measured for."""
    for name, judge in GOALS.items():
        if name in results:
            yield from judge(results[name])


def notes() -> dict[str, str]:
    """Reasons, by the key of the goal."""
    sections = re.split(r"^## (\S+)\n", NOTES.read_text("utf-8"), flags=re.MULTILINE)
    return {key: text.strip() for key, text in zip(sections[1::2], sections[2::2], strict=True)}


def section(last: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> str:
    """The goals of the last measurements beside those before, and the reasons."""
    earlier = {goal.text: goal for goal in goals(before)}
    reasons = notes()
    rows, missed = [], {}
    for goal in goals(last):
        other = earlier.get(goal.text)
        failed = goal if goal.missed_by else other
        by = failed.missed_by if failed else None
        verdict = f"**missed** by {by}" if by else "met"
        rows.append([goal.text, goal.figure, other.figure if other else "", verdict])
        if by:
            missed[goal.text] = reasons.get(goal.key, "Why is not known yet.")
    text = "## Goals\n\n" + table(["goal", "measured", "the time before", ""], rows)
    text += "\nA goal counts as missed if one of the two measurements misses it.\n"
    return text + "".join(f"\n**{goal}.** {reason}\n" for goal, reason in missed.items())
