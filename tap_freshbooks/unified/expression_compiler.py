"""Compiles the expressions of mapping files to functions of a record.

An expression has one origin (a path, a constant, a link …) and perhaps modifiers (a table of codes,
a change of sign …). The list of both is closed: nothing in a file can reach another file, the
network or Python.
"""

from __future__ import annotations

import inspect
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_freshbooks.unified import record_paths
from tap_freshbooks.unified.column_types import CONVERSIONS, UNCONVERTED, text
from tap_freshbooks.unified.countries import country_code
from tap_freshbooks.unified.expression_syntax import KEYWORDS, ORIGINS, TERM
from tap_freshbooks.unified.modifiers import modified
from tap_freshbooks.unified.rules import EXACT, RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_freshbooks.records import Row
    from tap_freshbooks.unified.compile_context import CompileContext, Function


def compiled(expression: Mapping[str, Any], context: CompileContext) -> Function:
    """Compile an expression to a function that gives a value of the column's type.

    Raises:
        ValueError: If the expression makes no sense.
    """
    inner = _function(expression, context, outermost=True)
    convert = CONVERSIONS[context.type]
    column, listener = context.column, context.listener

    def get(record: Row, row: Row) -> Any:
        value = None
        try:
            value = inner(record, row)
            return None if value is None else convert(value)
        except (ValueError, TypeError, ArithmeticError, LookupError):
            listener.on_invalid(column, value)
            return None

    return get


def direct(expression: Mapping[str, Any], context: CompileContext) -> tuple[str, ...]:
    """The names of a plain path whose native value needs no conversion; else none."""
    path = expression.get("path")
    if expression.keys() != {"path"} or not record_paths.PLAIN.fullmatch(str(path)):
        return ()
    native = record_paths.check(str(path), context.fields)
    return tuple(str(path).split(".")) if isinstance(native, UNCONVERTED[context.type]) else ()


def _function(expression: Any, context: CompileContext, *, outermost: bool = False) -> Function:
    if isinstance(expression, str):
        expression = {"path": expression}
    if unknown := expression.keys() - KEYWORDS.keys():
        raise ValueError(
            f"{', '.join(map(str, unknown))} means nothing in an expression; known are "
            f"{', '.join(KEYWORDS)}"
        )
    origins = expression.keys() & ORIGINS.keys()
    if len(origins) != 1:
        found = ", ".join(sorted(origins)) or "none"
        raise ValueError(f"it needs one of {', '.join(sorted(ORIGINS))}; it has {found}")
    [origin] = origins
    function = _FUNCTIONS[origin](expression, context)
    path = expression.get("null_if_zero_without")
    other = _path(path, context) if path else None
    return modified(function, expression, context, other, outermost=outermost)


# Origins


def _path(path: str, context: CompileContext) -> Function:
    record_paths.check(path, context.fields)
    if record_paths.PLAIN.fullmatch(path) and "." not in path:
        return lambda record, _: record.get(path)
    get = record_paths.getter(path)
    if record_paths.PLAIN.fullmatch(path) or record_paths.OF_EACH.fullmatch(path):
        return lambda record, _: get(record)
    column, listener = context.column, context.listener

    def search(record: Row, _: Row) -> Any:
        try:
            return get(record)
        except record_paths.UnreadableError as error:
            listener.on_invalid(column, error)
            return None

    return search


def _const(expression: Mapping[str, Any], _: CompileContext) -> Function:
    value = expression["const"]
    if isinstance(value, float | date):  # as YAML reads 1.5 and 2024-01-31
        value = str(value)
    return lambda _record, _row: value


def _builtin(expression: Mapping[str, Any], context: CompileContext) -> Function:
    name = expression["builtin"]
    if name not in context.builtins:
        raise ValueError(f"there is no builtin {name}")
    get = context.builtins[name]
    return lambda record, _: get(record)


def _ref(expression: Mapping[str, Any], context: CompileContext) -> Function:
    value = expression["ref"]
    if len(value) < 2 or not isinstance(value[0], str):  # noqa: PLR2004
        raise ValueError(f"`ref` is not {KEYWORDS['ref'][1]}")
    stream, *keys = value
    if len(keys) == 1:
        get = _function(keys[0], context)

        def link(record: Row, row: Row) -> str | None:
            key = get(record, row)
            return None if key in NO_ID else f"{stream}:{key}"

        return link
    functions = [_function(key, context) for key in keys]

    def link_to_part(record: Row, row: Row) -> str | None:
        whole: str = stream
        for function in functions:
            key = function(record, row)
            if key is None or key == "":
                return None
            whole = f"{whole}:{key}"
        return whole

    return link_to_part


NO_ID = frozenset({None, "", 0, "0"})
"""Values of FreshBooks that mean that there is no id."""


def _coalesce(expression: Mapping[str, Any], context: CompileContext) -> Function:
    functions = [_function(each, context) for each in expression["coalesce"]]

    def coalesce(record: Row, row: Row) -> Any:
        for function in functions:
            value = function(record, row)
            if value is not None and value != "":
                return value
        return None

    return coalesce


def _concat(expression: Mapping[str, Any], context: CompileContext) -> Function:
    functions = [_function(each, context) for each in expression["concat"]]
    separator = str(expression.get("separator", " "))

    def concat(record: Row, row: Row) -> str | None:
        parts = [text(function(record, row)) for function in functions]
        return separator.join([part for part in parts if part]) or None

    return concat


def _sum(expression: Mapping[str, Any], context: CompileContext) -> Function:
    values = _path(expression["sum"], context)

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


def _count(expression: Mapping[str, Any], context: CompileContext) -> Function:
    values = _path(expression["count"], context)

    def count(record: Row, row: Row) -> int | None:
        found = _list_or_none(values(record, row))
        return None if found is None else len(found)

    return count


def _list_or_none(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    raise TypeError


def _calc(expression: Mapping[str, Any], _: CompileContext) -> Function:
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


def _column(expression: Mapping[str, Any], _: CompileContext) -> Function:
    name = expression["column"]
    return lambda _record, row: row[name]


def _present(expression: Mapping[str, Any], context: CompileContext) -> Function:
    value = _path(expression["present"], context)
    return lambda record, row: value(record, row) is not None


def _country_code(expression: Mapping[str, Any], context: CompileContext) -> Function:
    name = _function(expression["country_code"], context)

    def code(record: Row, row: Row) -> str | None:
        found = name(record, row)
        return country_code(found) if isinstance(found, str) else None

    return code


def _rule(expression: Mapping[str, Any], context: CompileContext) -> Function:
    name = expression["rule"]
    if name not in RULES:
        raise ValueError(f"there is no rule {name!r}; there are {', '.join(RULES)}")
    rule = RULES[name]
    parameters = expression.get("with") or {}
    if unknown := set(parameters) - set(inspect.signature(rule).parameters):
        raise ValueError(f"the rule {name} takes no {', '.join(sorted(unknown))}")
    functions = {name: _function(inner, context) for name, inner in parameters.items()}

    def apply(record: Row, row: Row) -> Any:
        return rule(**{each: function(record, row) for each, function in functions.items()})

    return apply


_FUNCTIONS: dict[str, Callable[[Mapping[str, Any], CompileContext], Function]] = {
    "path": lambda expression, context: _path(expression["path"], context),
    "const": _const,
    "builtin": _builtin,
    "ref": _ref,
    "coalesce": _coalesce,
    "concat": _concat,
    "sum": _sum,
    "count": _count,
    "calc": _calc,
    "column": _column,
    "present": _present,
    "country_code": _country_code,
    "rule": _rule,
}
