"""The syntax of expressions in mapping files: keywords, check of the form, merging of two.

`expression_compiler.py` makes functions of them.
"""

from __future__ import annotations

import copy
import re
from collections import deque
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Expression = dict[str, Any]

ORIGINS: dict[str, tuple[tuple[type, ...], str]] = {
    "path": ((str,), "a path"),
    "const": ((str, int, float, date), "a word, a number or a date"),
    "builtin": ((str,), "a word"),
    "column": ((str,), "the name of a column"),
    "ref": ((list,), "a list: the native stream, then the paths of its key"),
    "coalesce": ((list,), "a list"),
    "concat": ((list,), "a list"),
    "sum": ((str,), "a path"),
    "count": ((str,), "a path"),
    "calc": ((list,), "a list"),
    "present": ((str,), "a path"),
    "country_code": ((str, dict), "a path or an expression"),
    "rule": ((str,), "the name of a rule"),
}
"""Keywords for the origin of a value, with their types; an expression has one of them."""

MODIFIERS: dict[str, tuple[tuple[type, ...], str]] = {
    "with": ((dict,), "a table: a parameter, then its expression"),
    "separator": ((str,), "text"),
    "substring_before": ((str,), "text"),
    "substring_after": ((str,), "text"),
    "codes": ((dict,), "a table: FreshBooks' word, then ours"),
    "else": ((str, int, float, type(None)), "a word"),
    "quiet": ((bool,), "true or false"),
    "negate": ((bool,), "true or false"),
    "zero_is_null": ((bool,), "true or false"),
    "null_if_zero_without": ((str,), "a path"),
    "only_if": ((dict,), "a table: a column, then its value"),
}
"""Keywords for changes of the value, with their types; an expression has any of them."""

KEYWORDS = ORIGINS | MODIFIERS

SCALARS = (str, int, float, type(None))

TERM = re.compile(r"([+-])(\w+)")
"""A term of `calc`."""

MAX_PARTS = 10_000
"""Parts that an expression may have."""


def walk(expression: Any) -> Iterator[Any]:
    """An expression, then the expressions inside of it; a path is one, too.

    The parts of an expression are taken when the next one is asked for, so that the caller can
    check its form before.
    """
    waiting = deque([expression])
    while waiting:
        yield (each := waiting.popleft())
        if isinstance(each, dict):
            waiting += each.get("coalesce", ())
            waiting += each.get("concat", ())
            waiting += each.get("ref", ())[1:]
            waiting += each.get("with", {}).values()
            waiting += [each["country_code"]] if "country_code" in each else ()


def check(expression: Any) -> None:
    """Check the form of an expression, before anything is made of it.

    Raises:
        ValueError: If something has the wrong form; the text says what.
    """
    for number, each in enumerate(walk(expression)):
        if number >= MAX_PARTS:  # names for parts make few lines endless
            raise ValueError("it has too many parts")
        if isinstance(each, str):
            continue
        if not isinstance(each, dict):
            raise ValueError(f"{each!r} is neither a path nor an expression")  # noqa: TRY004
        for name, value in each.items():
            types, words = KEYWORDS.get(name, ((object,), ""))
            if not isinstance(value, types):
                raise ValueError(f"`{name}` is not {words}")  # noqa: TRY004 - of a user's file
        for word, meaning in each.get("codes", {}).items():
            if not isinstance(word, SCALARS) or not isinstance(meaning, SCALARS):
                raise ValueError(f"`codes` has {word!r}, which is no word; write it in quotes")  # noqa: TRY004


def columns_used(expression: Any) -> set[str]:
    """The columns of the same row that an expression reads."""
    found: set[str] = set()
    for each in walk(expression):
        if isinstance(each, dict):
            found |= {each["column"]} if "column" in each else set()
            found.update(each.get("only_if", ()))
            terms = (TERM.fullmatch(str(term)) for term in each.get("calc", ()))
            found.update(term[2] for term in terms if term)
    return found


def merged(known: Any, new: Any) -> Any:
    """An expression with the changes of a new one.

    A new one with an origin replaces the known one; else the known one stays, with codes added to
    its tables of codes, and parts of `with` changed one by one.
    """
    if not known or not new or isinstance(new, str) or new.keys() & ORIGINS.keys():
        return new or {}
    changed: Expression = {"path": known} if isinstance(known, str) else copy.deepcopy(known)
    changed |= {name: part for name, part in new.items() if name not in {"codes", "with"}}
    for name, part in new.get("with", {}).items():
        parts = changed.setdefault("with", {})
        parts[name] = merged(parts.get(name), part)
    if "codes" in new:
        tables = [
            each["codes"] for each in walk(changed) if isinstance(each, dict) and "codes" in each
        ]
        for table in tables or [changed.setdefault("codes", {})]:
            table.update(new["codes"])
    return changed
