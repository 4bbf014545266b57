"""Paths into native records: names with dots between them; all others are JMESPath."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from tap_freshbooks.schema.fields import AnyJson, Array, Object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_freshbooks.schema.fields import Field

NAME = r"[A-Za-z_]\w*"
PLAIN = re.compile(rf"{NAME}(\.{NAME})*")
OF_EACH = re.compile(rf"({NAME})\[\]\.({NAME}(?:\.{NAME})*)")

Getter = Callable[[Any], Any]


class UnreadableError(ValueError):
    """A value to which a path does not apply."""


def getter(path: str) -> Getter:
    """Compile a path; what is not there is None.

    Raises:
        ValueError: If it is no JMESPath.
    """
    if PLAIN.fullmatch(path):
        return _plain(path.split("."))
    if match := OF_EACH.fullmatch(path):
        return _of_each(match[1], _plain(match[2].split(".")))
    return _expression(path)


def _plain(names: list[str]) -> Getter:
    if len(names) == 1:
        [name] = names
        return lambda record: record.get(name)
    first, *rest = names
    inner = _plain(rest)

    def get(record: Any) -> Any:
        outer = record.get(first)
        return inner(outer) if isinstance(outer, dict) else None

    return get


def _of_each(name: str, inner: Getter) -> Getter:
    # Unlike JMESPath's own, it keeps what is missing: a sum must not be of the rest.
    def get(record: Any) -> Any:
        rows = record.get(name)
        if not isinstance(rows, list):
            return None
        return [inner(row) if isinstance(row, dict) else None for row in rows]

    return get


def _expression(path: str) -> Getter:
    search = _compiled(path).search

    def get(record: Any) -> Any:
        try:
            return search(record)
        except (JMESPathError, TypeError, ValueError) as error:
            raise UnreadableError(str(error)) from None

    return get


def _compiled(path: str) -> Any:
    try:
        compiled = jmespath.compile(path)
        for name, number in _calls(compiled.parsed):
            _check_call(name, number)
    except RecursionError:
        raise ValueError("its path is too long") from None
    except (JMESPathError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path!r} is no path: {reason}") from None
    return compiled


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The functions that an expression calls, and with how many arguments."""
    if node["type"] == "function_expression":
        yield node["value"], len(node["children"])
    for child in node["children"]:
        yield from _calls(child)


def _check_call(name: str, number: int) -> None:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        raise ValueError(f"there is no function {name}")
    signature = known["signature"]
    is_open = bool(signature) and bool(signature[-1].get("variadic"))
    if number < len(signature) or (number > len(signature) and not is_open):
        raise ValueError(f"the function {name} does not take {number} arguments")


def check(path: str, fields: Object) -> Field | None:
    """Find the field of a path among those of a record.

    Returns:
        The field that a plain path leads to; None for other paths, and inside of free objects.

    Raises:
        ValueError: If there is no such field, or if it is no JMESPath.
    """
    if PLAIN.fullmatch(path):
        return _walk(path.split("."), fields)
    for name in _roots_of(path):
        _inner(name, fields)
    if match := OF_EACH.fullmatch(path):
        rows = _inner(match[1], fields)
        if isinstance(rows, Array) and isinstance(rows.item, Object):
            _walk(match[2].split("."), rows.item)
    return None


def _walk(names: list[str], fields: Object) -> Field | None:
    field: Field = fields
    for name in names:
        if isinstance(field, AnyJson):
            return None
        field = _inner(name, field)
    return field


def _inner(name: str, field: Field) -> Field:
    if not isinstance(field, Object):
        raise ValueError(f"there is nothing called {name} in it")  # noqa: TRY004 - of a user's file
    known = field.fields.get(name)
    if known is None or not known.emitted:
        names = ", ".join(each for each, kind in field.fields.items() if kind.emitted)
        raise ValueError(f"there is no field {name}; there are {names}")
    return known


def _roots_of(path: str) -> list[str]:
    parsed = _compiled(path).parsed
    try:
        return list(_roots(parsed))
    except RecursionError:
        raise ValueError("its path is too long") from None


def _roots(node: Mapping[str, Any]) -> Iterator[str]:
    """Names that an expression reads from the record itself."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in {
        *("subexpression", "index_expression", "projection", "value_projection"),
        *("filter_projection", "flatten", "pipe"),
    }:
        yield from _roots(children[0])
    elif kind not in {"literal", "current", "identity", "expref"}:
        for child in children:
            yield from _roots(child)
