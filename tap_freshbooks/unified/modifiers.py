"""What an expression does with the value of its origin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.unified.column_types import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.unified.expression_compiler import Function, Place, Row


def modified(
    function: Function,
    expression: Mapping[str, Any],
    place: Place,
    other: Function | None,
    *,
    outermost: bool,
) -> Function:
    """Apply the modifiers of an expression.

    Args:
        function: Gives the value of its origin.
        expression: The expression.
        place: Where it stands.
        other: Gives the value of `null_if_zero_without`.
        outermost: Whether it fills the column itself, as opposed to a part of an expression.

    Raises:
        ValueError: If a modifier makes no sense.
    """
    for part, number in (("before", 0), ("after", 2)):
        if separator := expression.get(part):
            function = _part(function, str(separator), number)
    if expression.get("negate"):
        function = _negated(function)
    if "codes" in expression:
        function = _decoded(function, expression, place, outermost=outermost)
    if expression.get("zero_is_null"):
        function = _without_zero(function)
    if other:
        function = _zero_means_nothing(function, other)
    if conditions := expression.get("only_if"):
        function = _conditional(function, conditions)
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
    function: Function, expression: Mapping[str, Any], place: Place, *, outermost: bool
) -> Function:
    """Read words by a table, whatever their case.

    A word that is in no table is told, unless the expression says `quiet`; so is a value that is
    missing where the column is never null.
    """
    codes = expression["codes"]
    table = {code_key(word): meaning for word, meaning in codes.items()}
    # Most words come as they stand in the table; true and 1 are one key to Python, not to us.
    usual = {word: meaning for word, meaning in codes.items() if not isinstance(word, bool)}
    otherwise = expression.get("else")
    column, listener = place.column, place.listener
    tells_null = outermost and place.required and None not in table
    is_quiet = bool(expression.get("quiet"))

    def decode(record: Row, row: Row) -> Any:
        value = function(record, row)
        if value.__class__ is not bool:
            meaning = usual.get(value, _MISSING)
            if meaning is not _MISSING:
                return meaning
        key = code_key(value)
        meaning = table.get(key, _MISSING)
        if meaning is not _MISSING:
            return meaning
        if not is_quiet and (key is not None or tells_null):
            listener.missed(column, value)
        return otherwise

    return decode


def code_key(word: Any) -> str | None:
    """How tables of codes spell a word; null and empty text are the same."""
    return (text(word) or "").strip().casefold() or None


def _without_zero(function: Function) -> Function:
    def get(record: Row, row: Row) -> Any:
        value = function(record, row)
        return None if value in (0, "0") else value

    return get


def _zero_means_nothing(function: Function, other: Function) -> Function:
    def get(record: Row, row: Row) -> Any:
        value = function(record, row)
        if value is not None and not other(record, row) and Decimal(value) == 0:
            return None
        return value

    return get


def _conditional(function: Function, conditions: Mapping[str, Any]) -> Function:
    wanted = dict(conditions)

    def get(record: Row, row: Row) -> Any:
        if any(row[name] != value for name, value in wanted.items()):
            return None
        return function(record, row)

    return get
