"""The form of mapping files: parses their text, and checks it.

A file has one document per stream:

    stream: unified_invoices
    description: …
    source: invoices            # or sources: [clients, bill_vendors]
    where: is_logged            # optional: a path; rows where it is empty or false are left out
    columns:
      number:
        type: string            # string, decimal, integer, boolean, date, datetime, object
        description: …
        path: invoice_number    # an expression; with several sources, `from` has one for each
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import yaml

from tap_freshbooks.unified import expression_syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTIVE_KEYWORDS: dict[str, tuple[type, str]] = {
    "type": (str, "one word"),
    "required": (bool, "true or false"),
    "description": (str, "text"),
    "enum": (list, "a list of words"),
    "from": (dict, "a table: a source, then how it fills the column"),
}
"""Keywords of a column besides those of its expression, with their types."""

NAME = re.compile(r"[a-z][a-z0-9_]*")

STREAM_KEYWORDS = ("stream", "description", "source", "sources", "where", "columns")


class MappingError(Exception):
    """A mistake in a mapping file.

    Args:
        reason: The mistake, without the name of the file.
        file: Name of the file; empty if the caller knows it.
    """

    def __init__(self, reason: str, file: str = "") -> None:
        super().__init__(reason)
        self.file = file


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the fast one
    """A safe loader that refuses two equal names, of which YAML would drop one in silence."""


def _unique(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    found: dict[Any, Any] = {}
    for key, value in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, Hashable) or name in found:
            problem = f"{name!r} stands there twice, or is no name"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        found[name] = loader.construct_object(value, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique)


def parse(text: str) -> Iterator[dict[str, Any]]:
    """The documents of a file.

    Raises:
        MappingError: If the text is no YAML, or a document does not describe a stream.
    """
    try:
        found = list(yaml.load_all(text, Loader=_Loader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise MappingError(f"it is no YAML{where}: {getattr(error, 'problem', '')}") from None
    for document in found:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise MappingError("it is no mapping of names to values")
        if unknown := document.keys() - set(STREAM_KEYWORDS):
            raise MappingError(
                f"{', '.join(map(str, unknown))} means nothing beside `columns`; known are "
                f"{', '.join(STREAM_KEYWORDS)}"
            )
        if not isinstance(document.get("columns") or {}, dict):
            raise MappingError("columns: it is no mapping of names to columns")
        for name in ("where", "description"):
            if not isinstance(document.get(name) or "", str):
                raise MappingError(f"{name}: it is no text")
        yield document


def check_column(name: Any, part: Any) -> None:
    """Check the form of a column.

    Raises:
        MappingError: If it is wrong.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise MappingError(f"{name!r} is no name of a column: lower case, digits and _")
    if not isinstance(part, dict):
        raise MappingError(
            f"{name}: {part!r} is no column; a column that nobody wants is deselected"
        )
    known = DESCRIPTIVE_KEYWORDS | expression_syntax.KEYWORDS
    if unknown := part.keys() - known.keys():
        raise MappingError(
            f"{name}: {', '.join(map(str, unknown))} means nothing here; known are "
            f"{', '.join(known)}"
        )
    for attribute, (wanted, words) in DESCRIPTIVE_KEYWORDS.items():
        if attribute in part and not isinstance(part[attribute], wanted):
            raise MappingError(f"{name}: `{attribute}` is not {words}")
    if not all(isinstance(word, str) for word in part.get("enum") or ()):
        raise MappingError(f"{name}: `enum` is not a list of words; write them in quotes")
    try:
        for expression in (expression_in(part), *(part.get("from") or {}).values()):
            if expression is not None:
                expression_syntax.check(expression)
    except ValueError as error:
        raise MappingError(f"{name}: {error}") from None


def expression_in(part: dict[str, Any]) -> expression_syntax.Expression:
    """The expression among the keywords of a column; empty if there is none."""
    return {name: value for name, value in part.items() if name in expression_syntax.KEYWORDS}
