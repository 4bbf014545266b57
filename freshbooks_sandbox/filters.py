"""The kinds of filter a resource can declare, each turning a query value into a predicate on rows.

What a known filter does with a malformed value depends on the family and is raised as an ApiError;
unknown filters never get here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.clock import EASTERN, SECOND, moment_of, start_of_day
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.money import cents
from freshbooks_sandbox.query import FLAGS, bare_boolean

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.store import Business, Row

Predicate = Callable[["Row"], bool]


@dataclass(frozen=True)
class FilterContext:
    """The surroundings of a filter: the business, the caller and the sandbox's behaviours.

    `client_id` is the application that asks; `is_alpha` where it sends `Api-Version: alpha`.
    """

    business: Business
    identity_id: int
    behaviours: Behaviours
    resource: str
    client_id: str
    is_alpha: bool = False


Getter = Callable[["Row", "Business"], Any]


@dataclass(frozen=True)
class Filter:
    """A predicate in the making. `many` filters take `search[names][]`, repeated."""

    build: Callable[[str, list[str], FilterContext], Predicate]
    many: bool = False


def _getter(column: str | Getter, context: FilterContext) -> Callable[[Row], Any]:
    if isinstance(column, str):
        return lambda row: row.get(column)
    return lambda row: column(row, context.business)


def _invalid(errno: int, kind: str, name: str, value: str, context: FilterContext) -> ApiError:
    return ApiError(422, f"{name} must be {kind}.", errno, name, value, context.resource)


def _number(name: str, value: str, context: FilterContext) -> int:
    try:
        return int(value)
    except ValueError:
        raise _invalid(1024, "a number", name, value, context) from None


def number(column: str | Getter) -> Filter:
    """Equal to an integer; errno 1024 otherwise."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted, get = _number(name, values[-1], context), _getter(column, context)
        return lambda row: get(row) == wanted

    return Filter(build)


def not_number(column: str | Getter) -> Filter:
    """Different from an integer."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        unwanted, get = _number(name, values[-1], context), _getter(column, context)
        return lambda row: get(row) != unwanted

    return Filter(build)


def numbers(column: str | Getter) -> Filter:
    """One of several integers."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted = {_number(name, value, context) for value in values}
        get = _getter(column, context)
        return lambda row: get(row) in wanted

    return Filter(build, many=True)


def word(column: str | Getter) -> Filter:
    """Equal to a text, whatever its case."""

    def build(_name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted, get = values[-1].casefold(), _getter(column, context)
        return lambda row: str(get(row) or "").casefold() == wanted

    return Filter(build)


def words(column: str | Getter) -> Filter:
    """One of several texts, whatever their case."""

    def build(_name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted, get = {value.casefold() for value in values}, _getter(column, context)
        return lambda row: str(get(row) or "").casefold() in wanted

    return Filter(build, many=True)


def like(*columns: str | Getter) -> Filter:
    """Contained in any of the columns, whatever its case."""

    def build(_name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted = values[-1].casefold()
        getters = [_getter(column, context) for column in columns]
        return lambda row: any(wanted in str(get(row) or "").casefold() for get in getters)

    return Filter(build)


def flag(column: str | Getter) -> Filter:
    """A boolean: true/True/1 or false/False/0; errno 1032 otherwise."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted, get = FLAGS.get(values[-1].casefold()), _getter(column, context)
        if wanted is None:
            raise _invalid(1032, "a boolean", name, values[-1], context)
        return lambda row: bool(get(row)) is wanted

    return Filter(build)


def _day(name: str, value: str, context: FilterContext) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 a plain date
    except ValueError:
        raise _invalid(1023, "a date (YYYY-MM-DD)", name, value, context) from None


def _bounded(column: str | Getter, lowest: bool, read: Callable[..., Any]) -> Filter:
    """Min is `>=`, max is `<` (docs/freshbooks-api/accounting.md §4)."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        bound, get = read(name, values[-1], context), _getter(column, context)
        if lowest:
            return lambda row: (value := get(row)) is not None and value >= bound
        return lambda row: (value := get(row)) is not None and value < bound

    return Filter(build)


def dates(name: str, column: str | Getter) -> dict[str, Filter]:
    """`name_min` and `name_max` on a plain date column."""

    def read(key: str, value: str, context: FilterContext) -> str:
        return _day(key, value, context).isoformat()

    return {
        f"{name}_min": _bounded(column, True, read),
        f"{name}_max": _bounded(column, False, read),
    }


def from_day(column: str) -> Filter:
    """On a plain date or later: the start of a window."""
    return dates("", column)["_min"]


def to_day(column: str) -> Filter:
    """On a plain date or earlier: the end of a window, which belongs to it."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        last = _day(name, values[-1], context).isoformat()
        return lambda row: bool(row[column] <= last)

    return Filter(build)


def amounts(name: str, column: Getter) -> dict[str, Filter]:
    """`name_min` and `name_max` on an amount in cents."""

    def read(key: str, value: str, context: FilterContext) -> int:
        try:
            return cents(value)
        except ValueError:
            raise _invalid(1024, "a number", key, value, context) from None

    return {
        f"{name}_min": _bounded(column, True, read),
        f"{name}_max": _bounded(column, False, read),
    }


def updated(column: str = "updated") -> dict[str, Filter]:
    """`updated_min` and `updated_max`: whole days of US/Eastern.

    See docs/freshbooks-api/accounting.md §4, §7.
    """

    def bounded(lowest: bool) -> Filter:
        def read(key: str, value: str, context: FilterContext) -> int:
            eastern = context.behaviours.updated_day_zone == "eastern"
            return start_of_day(_day(key, value, context), EASTERN if eastern else None)

        honoured = _bounded(column, lowest, read)

        def build(name: str, values: list[str], context: FilterContext) -> Predicate:
            if named(context.behaviours.updated_filter_ignored, context.resource):
                return lambda _row: True
            return honoured.build(name, values, context)

        return Filter(build)

    return {"updated_min": bounded(True), "updated_max": bounded(False)}


def parse_datetime(name: str, value: str) -> int:
    """Microseconds of an ISO 8601 date-time or date; without a zone it means UTC.

    Raises:
        ApiError: 422, in the words seen in 2026-09 (docs/freshbooks-api/projects-and-time.md §3).
    """
    text = value.strip()
    try:
        if len(text) < len("2026-01-31"):
            message = "Input should be a valid datetime or date, input is too short"
            raise ApiError(422, message, 2001, name, value)
        when = datetime.fromisoformat(text)
    except ValueError:
        message = "Input should be a valid datetime or date, invalid character in input"
        raise ApiError(422, message, 2001, name, value) from None
    return moment_of(when if when.tzinfo else when.replace(tzinfo=UTC))


def since(column: str) -> Filter:
    """At or after a moment, compared by whole seconds.

    See docs/freshbooks-api/projects-and-time.md §3.
    """

    def build(name: str, values: list[str], _context: FilterContext) -> Predicate:
        bound = parse_datetime(name, values[-1]) // SECOND
        return lambda row: row[column] // SECOND >= bound

    return Filter(build)


def until(column: str) -> Filter:
    """At or before a moment."""

    def build(name: str, values: list[str], _context: FilterContext) -> Predicate:
        bound = parse_datetime(name, values[-1]) // SECOND
        return lambda row: row[column] // SECOND <= bound

    return Filter(build)


def bare_number(column: str | Getter) -> Filter:
    """An integer on a project-like list; 422/2001 otherwise."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        get = _getter(column, context)
        try:
            wanted = int(values[-1])
        except ValueError:
            message = "Input should be a valid integer, unable to parse string as an integer"
            raise ApiError(422, message, 2001, name, values[-1]) from None
        return lambda row: get(row) == wanted

    return Filter(build)


def bare_flag(column: str | Getter) -> Filter:
    """A boolean on a project-like list; 422/2001 otherwise."""

    def build(name: str, values: list[str], context: FilterContext) -> Predicate:
        wanted, get = bare_boolean(name, values[-1]), _getter(column, context)
        return lambda row: bool(get(row)) is wanted

    return Filter(build)
