"""What an answer with a report has to hold, and how its nested groups become flat rows.

A group's fields stand beside those of its rows. A group without parts is a row itself, with its
own amounts: else the rows would not add up (`docs/freshbooks-api/accounting.md §13`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.schema.fields import Array, Boolean, Excluded, Field, Money, Object, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_freshbooks.records import Row


ECHO = Object(
    company_name=Text(),
    currency_code=Text(),
    cash_based=Boolean(),
    download_token=Excluded(),  # a credential for the export
    start_date=Excluded(),  # held against the period that was asked for
    end_date=Excluded(),
    dates=Excluded(),
)
"""What most reports say about themselves."""

NAMED = 5
"""How many keys of an answer a sentence names."""


class UnexpectedAnswerError(FreshBooksError):
    """A report has another shape than is known; whoever asked adds which report it was."""


def find_report(result: Row, key: str, *, is_certain: bool) -> Row:
    """The report in the `result` of an answer.

    Args:
        result: Of the answer.
        key: Of the report; `a|b` means either.
        is_certain: Whether the key is known; if not, the only one that is there will do.

    Raises:
        UnexpectedAnswerError: If it is not there, or no object.
    """
    names = [name for name in key.split("|") if name in result]
    if not names and not is_certain and len(result) == 1:
        names = list(result)
    if not names:
        there = ", ".join(list(result)[:NAMED]) or "nothing"
        raise UnexpectedAnswerError(f"the answer has no {key.replace('|', ' or ')}, but {there}")
    report = result[names[0]]
    if not isinstance(report, dict):
        raise UnexpectedAnswerError(f"{names[0]} is {_kind(report)}, not an object")
    return report


def check_period(report: Row, days: Mapping[str, str]) -> None:
    """Make sure that a report covers the period that was asked for.

    Args:
        report: It may echo the parameters.
        days: The parameters that name the period; `dates[]` is echoed as the list `dates`.

    Raises:
        UnexpectedAnswerError: If not: a parameter was ignored.
    """
    for name, day in days.items():
        echo = report.get(name.removesuffix("[]"))
        found = echo if isinstance(echo, list) else [echo]
        if echo is not None and [each[:10] for each in found if isinstance(each, str)] != [day]:
            raise UnexpectedAnswerError(
                f"FreshBooks answered for another period: {name} is not {day}"
            )


def check_lists(report: Row, names: Iterable[str]) -> None:
    """Make sure that the lists of a report are there.

    Raises:
        UnexpectedAnswerError: If one is missing: its table would be empty without a word.
    """
    for name in names:
        if not isinstance(report.get(name), list):
            raise UnexpectedAnswerError(_instead(report, name, "a list"))


def check_totals(report: Row, totals: Mapping[str, Field]) -> None:
    """Make sure that the totals of a report are there.

    Raises:
        UnexpectedAnswerError: If one is missing: nothing would show whether rows are, too.
    """
    for name, field in totals.items():
        value = report.get(name)
        if isinstance(field, Array):
            fits, expected = isinstance(value, list), "a list"
        elif isinstance(field, Money):
            fits = value is not None and not isinstance(value, bool | list)
            expected = "an amount"
        else:
            fits, expected = isinstance(value, dict), "an object"
        if not fits:
            raise UnexpectedAnswerError(_instead(report, name, expected))


def _instead(report: Row, name: str, expected: str) -> str:
    if name not in report:
        return f"the report has no {name}, where {expected} was expected"
    return f"{name} is {_kind(report[name])}, not {expected}"


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "null" if value is None else kinds.get(type(value), "a number")


def parts_of(group: Row, name: str) -> Iterator[Row]:
    """The objects in a list of a report or a group; none where the list is absent or null.

    Raises:
        UnexpectedAnswerError: If it is no list of objects: its rows would be lost.
    """
    parts = group.get(name)
    if parts is None:
        return
    if not isinstance(parts, list):
        raise UnexpectedAnswerError(f"a part named {name} is {_kind(parts)}, not a list")
    for part in parts:
        if isinstance(part, dict):
            yield part
        elif part is not None:
            raise UnexpectedAnswerError(f"{name} holds {_kind(part)}, where objects were expected")


def beside(group: Row, prefix: str, parts: Iterable[str], **names: str) -> Row:
    """The fields of a group, as they stand beside those of its rows.

    Args:
        group: The group.
        prefix: Begins the names of all fields, so that none hides a row's.
        parts: Its lists, which become rows.
        names: Other names, by those of the answer.
    """
    return {
        names.get(name) or (name if name.startswith(prefix) else f"{prefix}_{name}"): value
        for name, value in group.items()
        if name not in parts
    }
