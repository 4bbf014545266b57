"""Modifiers of an expression: functions of the value that its origin gives."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.unified.column_types import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.records import Row
    from tap_freshbooks.unified.compile_context import CompileContext, Function


def modified(
    function: Function,
    expression: Mapping[str, Any],
    context: CompileContext,
    other: Function | None,
    *,
    outermost: bool,
) -> Function:
    """Apply the modifiers of an expression.

    Args:
        function: Gives the value of its origin.
        expression: The expression.
        context: The column that it fills.
        other: Gives the value of `null_if_zero_without`.
        outermost: True if it fills the column itself, and is no part of another expression.

    Raises:
        ValueError: If a modifier makes no sense.
    """
    for part, number in (("substring_before", 0), ("substring_after", 2)):
        if separator := expression.get(part):
            function = _part(function, str(separator), number)
    if expression.get("negate"):
        function = _negated(function)
    if "codes" in expression:
        function = _decoded(function, expression, context, outermost=outermost)
    if expression.get("zero_is_null"):
        function = _zero_is_null(function)
    if other:
        function = _null_if_zero_without(function, other)
    if conditions := expression.get("only_if"):
        function = _only_if(function, conditions)
    return function


def _part(function: Function, separator: str, number: int) -> Function:
    def part(record: Row, row: Row) -> str | None:
        whole = text(function(record, row))
        return whole.partition(separator)[number] if whole else None

    return part


def _negated(function: Function) -> Function:
    def negate(record: Row, row: Row) -> Decimal | None:
        value = function(record, row)
        if value is None:
            return None
        number = Decimal(value)
        # Neither rounds, as unary minus would; and there is no -0.00.
        return number.copy_abs() if number.is_zero() else number.copy_negate()

    return negate


_MISSING = object()


def _decoded(
    function: Function, expression: Mapping[str, Any], context: CompileContext, *, outermost: bool
) -> Function:
    """Translate values by a table of codes, whatever their case.

    The listener is notified of a value that is in no table, unless the expression says `quiet`, and
    of null if the column is never null.
    """
    codes = expression["codes"]
    table = {code_key(code): meaning for code, meaning in codes.items()}
    # Most values come as they stand in the table; true and 1 are one key to Python, not to us.
    literal = {code: meaning for code, meaning in codes.items() if not isinstance(code, bool)}
    otherwise = expression.get("else")
    column, listener = context.column, context.listener
    reports_null = outermost and context.required and None not in table
    is_quiet = bool(expression.get("quiet"))

    def decode(record: Row, row: Row) -> Any:
        value = function(record, row)
        if value.__class__ is not bool:
            meaning = literal.get(value, _MISSING)
            if meaning is not _MISSING:
                return meaning
        key = code_key(value)
        meaning = table.get(key, _MISSING)
        if meaning is not _MISSING:
            return meaning
        if not is_quiet and (key is not None or reports_null):
            listener.on_unmapped(column, value)
        return otherwise

    return decode


def code_key(value: Any) -> str | None:
    """The key of a value in a table of codes; null and empty text have the same."""
    return (text(value) or "").strip().casefold() or None


def _zero_is_null(function: Function) -> Function:
    def get(record: Row, row: Row) -> Any:
        value = function(record, row)
        return None if value in (0, "0") else value

    return get


def _null_if_zero_without(function: Function, other: Function) -> Function:
    def get(record: Row, row: Row) -> Any:
        value = function(record, row)
        if value is not None and not other(record, row) and Decimal(value) == 0:
            return None
        return value

    return get


def _only_if(function: Function, conditions: Mapping[str, Any]) -> Function:
    wanted = dict(conditions)

    def get(record: Row, row: Row) -> Any:
        if any(row[name] != value for name, value in wanted.items()):
            return None
        return function(record, row)

    return get
