"""The expressions of mapping files, made into functions of a record.

An expression has one origin (a path, a constant, a link …) and perhaps modifiers (a table of codes,
a change of sign …). The list of both is closed: nothing in a file can reach another file, the
network or Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.unified import record_paths
from tap_freshbooks.unified.column_types import CONVERSIONS, KEPT, text
from tap_freshbooks.unified.countries import country_code
from tap_freshbooks.unified.expression_syntax import ORIGINS, TERM, WORDS
from tap_freshbooks.unified.modifiers import modified
from tap_freshbooks.unified.rules import EXACT, RULES

if TYPE_CHECKING:
    from tap_freshbooks.schema.fields import Object

Row = dict[str, Any]

Function = Callable[[Row, Row], Any]
"""Gives a value from a native record and the columns that are already there."""


class Listener(Protocol):
    """Hears of values that could not be read."""

    def missed(self, column: str, value: object) -> None:
        """A word is in no table."""

    def unfit(self, column: str, value: object) -> None:
        """A value does not fit and became null."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands.

    Attributes:
        column: Name of the column.
        type: What the column holds.
        required: Whether it is never null.
        fields: Of the native records.
        listener: Hears of what cannot be read.
        given: Values that the tap itself gives to each record, by name.
    """

    column: str
    type: str
    required: bool
    fields: Object
    listener: Listener
    given: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)


def compiled(expression: Mapping[str, Any], place: Place) -> Function:
    """Make a function of an expression, which gives a value of the column's type.

    Raises:
        ValueError: If the expression is none.
    """
    inner = _function(expression, place, outermost=True)
    convert = CONVERSIONS[place.type]
    column, listener = place.column, place.listener

    def get(record: Row, row: Row) -> Any:
        value = None
        try:
            value = inner(record, row)
            return None if value is None else convert(value)
        except (ValueError, TypeError, ArithmeticError, LookupError):
            listener.unfit(column, value)
            return None

    return get


def direct(expression: Mapping[str, Any], place: Place) -> tuple[str, ...]:
    """The names of a plain path whose native value is right as it is; else nothing."""
    path = expression.get("path")
    if expression.keys() != {"path"} or not record_paths.PLAIN.fullmatch(str(path)):
        return ()
    native = record_paths.check(str(path), place.fields)
    return tuple(str(path).split(".")) if isinstance(native, KEPT[place.type]) else ()


def _function(expression: Any, place: Place, *, outermost: bool = False) -> Function:
    if isinstance(expression, str):
        expression = {"path": expression}
    if unknown := expression.keys() - WORDS.keys():
        raise ValueError(f"{', '.join(map(str, unknown))} means nothing in an expression")
    origins = expression.keys() & ORIGINS.keys()
    if len(origins) != 1:
        found = ", ".join(sorted(origins)) or "none"
        raise ValueError(f"it needs one of {', '.join(sorted(ORIGINS))}; it has {found}")
    [origin] = origins
    function = _FUNCTIONS[origin](expression, place)
    path = expression.get("null_if_zero_without")
    other = _path(path, place) if path else None
    return modified(function, expression, place, other, outermost=outermost)


# Origins


def _path(path: str, place: Place) -> Function:
    record_paths.check(path, place.fields)
    if record_paths.PLAIN.fullmatch(path) and "." not in path:
        return lambda record, _: record.get(path)
    get = record_paths.getter(path)
    if record_paths.PLAIN.fullmatch(path) or record_paths.OF_EACH.fullmatch(path):
        return lambda record, _: get(record)
    column, listener = place.column, place.listener

    def search(record: Row, _: Row) -> Any:
        try:
            return get(record)
        except record_paths.UnreadableError as error:
            listener.unfit(column, error)
            return None

    return search


def _const(expression: Mapping[str, Any], _: Place) -> Function:
    value = expression["const"]
    if isinstance(value, float | date):  # as YAML reads 1.5 and 2024-01-31
        value = str(value)
    return lambda _record, _row: value


def _given(expression: Mapping[str, Any], place: Place) -> Function:
    name = expression["given"]
    if name not in place.given:
        raise ValueError(f"nothing is given that is called {name}")
    get = place.given[name]
    return lambda record, _: get(record)


def _ref(expression: Mapping[str, Any], place: Place) -> Function:
    value = expression["ref"]
    if len(value) < 2 or not isinstance(value[0], str):  # noqa: PLR2004
        raise ValueError(f"`ref` is not {WORDS['ref'][1]}")
    stream, *keys = value
    if len(keys) == 1:
        get = _function(keys[0], place)

        def refer(record: Row, row: Row) -> str | None:
            key = get(record, row)
            return None if key in NO_ID else f"{stream}:{key}"

        return refer
    functions = [_function(key, place) for key in keys]

    def refer_to_part(record: Row, row: Row) -> str | None:
        whole: str = stream
        for function in functions:
            key = function(record, row)
            if key is None or key == "":
                return None
            whole = f"{whole}:{key}"
        return whole

    return refer_to_part


NO_ID = frozenset({None, "", 0, "0"})
"""What FreshBooks writes where there is no id."""


def _first(expression: Mapping[str, Any], place: Place) -> Function:
    functions = [_function(each, place) for each in expression["first"]]

    def first(record: Row, row: Row) -> Any:
        for function in functions:
            value = function(record, row)
            if value is not None and value != "":
                return value
        return None

    return first


def _join(expression: Mapping[str, Any], place: Place) -> Function:
    functions = [_function(each, place) for each in expression["join"]]
    separator = str(expression.get("separator", " "))

    def join(record: Row, row: Row) -> str | None:
        parts = [text(function(record, row)) for function in functions]
        return separator.join([part for part in parts if part]) or None

    return join


def _sum(expression: Mapping[str, Any], place: Place) -> Function:
    values = _path(expression["sum"], place)

    def total(record: Row, row: Row) -> Decimal | None:
        found = _list_or_none(values(record, row))
        if found is None:
            return None
        result = Decimal(0)
        for value in found:
            if value is None:
                return None
            result = EXACT.add(result, Decimal(value))
        return result

    return total


def _count(expression: Mapping[str, Any], place: Place) -> Function:
    values = _path(expression["count"], place)

    def count(record: Row, row: Row) -> int | None:
        found = _list_or_none(values(record, row))
        return None if found is None else len(found)

    return count


def _list_or_none(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    raise TypeError


def _calc(expression: Mapping[str, Any], _: Place) -> Function:
    terms = []
    for term in expression["calc"]:
        match = TERM.fullmatch(str(term))
        if not match:
            raise ValueError(f"the term {term!r} of calc is no column with + or - before it")
        terms.append((EXACT.add if match[1] == "+" else EXACT.subtract, match[2]))

    def calculate(_record: Row, row: Row) -> Decimal | None:
        result = Decimal(0)
        for operate, name in terms:
            value = row[name]
            if value is None:
                return None
            result = operate(result, Decimal(value))
        return result

    return calculate


def _column(expression: Mapping[str, Any], _: Place) -> Function:
    name = expression["column"]
    return lambda _record, row: row[name]


def _present(expression: Mapping[str, Any], place: Place) -> Function:
    value = _path(expression["present"], place)
    return lambda record, row: value(record, row) is not None


def _country(expression: Mapping[str, Any], place: Place) -> Function:
    name = _function(expression["country"], place)

    def country(record: Row, row: Row) -> str | None:
        found = name(record, row)
        return country_code(found) if isinstance(found, str) else None

    return country


def _rule(expression: Mapping[str, Any], place: Place) -> Function:
    name = expression["rule"]
    if name not in RULES:
        raise ValueError(f"there is no rule {name!r}; there are {', '.join(RULES)}")
    rule = RULES[name]
    given = expression.get("with") or {}
    if unknown := set(given) - set(inspect.signature(rule).parameters):
        raise ValueError(f"the rule {name} takes no {', '.join(sorted(unknown))}")
    functions = {parameter: _function(inner, place) for parameter, inner in given.items()}

    def apply(record: Row, row: Row) -> Any:
        return rule(**{each: function(record, row) for each, function in functions.items()})

    return apply


_FUNCTIONS: dict[str, Callable[[Mapping[str, Any], Place], Function]] = {
    "path": lambda expression, place: _path(expression["path"], place),
    "const": _const,
    "given": _given,
    "ref": _ref,
    "first": _first,
    "join": _join,
    "sum": _sum,
    "count": _count,
    "calc": _calc,
    "column": _column,
    "present": _present,
    "country": _country,
    "rule": _rule,
}
