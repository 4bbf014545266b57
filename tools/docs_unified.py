"""Writes the generated part of `docs/unified.md`: links, columns and codes of the mapping files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_freshbooks.unified.expression_syntax import ORIGINS
from tap_freshbooks.unified.mapping import links
from tap_freshbooks.unified.mapping_loader import COMMON, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_freshbooks.unified.expression_syntax import Expression
    from tap_freshbooks.unified.mapping import Column, EntityMapping

BEGIN = "<!-- made from the mapping files by `make docs`; do not edit -->"
SENTENCES = {
    "path": "{}",
    "const": "always {}",
    "builtin": "{}, by the tap",
    "column": "{} of this row",
    "sum": "sum of {}",
    "count": "number of {}",
    "present": "whether {} is there",
    "country_code": "code of {}",
}
"""Descriptions of origins that have one value."""

END = "<!-- end of what is made from the mapping files -->"


def page(current: str) -> str:
    """The page, with the part between the marks written anew.

    Raises:
        ValueError: If it has no such part.
    """
    before, _, rest = current.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page has no part between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{_generated(load())}\n{END}{after}"


def _generated(mappings: Mapping[str, EntityMapping]) -> str:
    first = next(iter(mappings.values()))
    common = [column for column in first.columns.values() if column.name in _common(mappings)]
    sections = [
        _diagram(mappings),
        "## Columns of every stream\n\n" + _table(common, ()),
        *(_section(mapping, _common(mappings)) for mapping in mappings.values()),
    ]
    return "\n".join(sections)


def _common(mappings: Mapping[str, EntityMapping]) -> set[str]:
    """Names of the columns that every stream has."""
    every = [mapping.columns.keys() for mapping in mappings.values()]
    return set(every[0]).intersection(*every[1:])


def _diagram(mappings: Mapping[str, EntityMapping]) -> str:
    """The links between streams, as a Mermaid diagram."""
    columns: dict[tuple[str, str], list[str]] = {}
    for link in links(mappings):
        if link.target:
            columns.setdefault((link.target, link.stream), []).append(link.column)
    lines = []
    for (target, stream), names in columns.items():
        always = any(mappings[stream].columns[name].required for name in names)
        words = ", ".join(dict.fromkeys(names))
        one = "||" if always else "|o"
        lines.append(f'    {_short(target)} {one}--o{{ {_short(stream)} : "{words}"')
    return "\n".join(
        ["## How they hang together", "", "```mermaid", "erDiagram", *lines, "```", ""]
    )


def _short(stream: str) -> str:
    return stream.removeprefix("unified_")


def _section(mapping: EntityMapping, common: set[str]) -> str:
    own = [
        column
        for column in mapping.columns.values()
        if column.name not in common or _is_special(column)
    ]
    sources = " and ".join(f"`{source}`" for source in mapping.sources)
    where = f", those rows of which `{mapping.where}` is true" if mapping.where else ""
    head = f"## {mapping.stream}\n\n{mapping.description}. From {sources}{where}.\n\n"
    return head + _table(own, mapping.sources) + _tables_of_codes(mapping)


def _is_special(column: Column) -> bool:
    """True if the stream's own file fills this common column."""
    return column.file != COMMON and any(
        not expression.keys() & {"builtin", "substring_after", "present", "const"}
        for expression in column.expressions.values()
    )


def _table(columns: list[Column], sources: tuple[str, ...]) -> str:
    head = ["column", "type", "meaning", *(["filled from"] if sources else [])]
    rows = [
        [
            f"`{column.name}`",
            f"**{column.type}**" if column.required else column.type,
            column.description + _enum(column),
            *([_filled(column, sources)] if sources else []),
        ]
        for column in columns
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def _enum(column: Column) -> str:
    return f": {', '.join(f'`{word}`' for word in column.enum)}" if column.enum else ""


def _filled(column: Column, sources: tuple[str, ...]) -> str:
    texts = {source: in_words(each) for source, each in column.expressions.items()}
    if len(texts) == len(sources) and len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{source}: {text}" for source, text in texts.items())


def in_words(expression: Expression | str) -> str:
    """An expression, described in English."""
    if isinstance(expression, str):
        return _code(expression)
    text = _origin(expression)
    if expression.get("negate"):
        text += ", sign changed"
    if "codes" in expression:
        text += ", by its word"
    if other := expression.get("null_if_zero_without"):
        text += f"; nothing if it is 0 without `{other}`"
    for column, value in (expression.get("only_if") or {}).items():
        text += f", if `{column}` is {_code(_plain(value))}"
    return text


def _origin(expression: Expression) -> str:
    [origin] = expression.keys() & ORIGINS.keys()
    value = expression[origin]
    if origin in {"coalesce", "concat", "rule"}:
        parts = value if isinstance(value, list) else (expression.get("with") or {}).values()
        words = list(dict.fromkeys(in_words(part) for part in parts))
        if origin == "concat":
            return f" `{expression.get('separator', ' ')}` ".join(words)
        return ("the first of " if origin == "coalesce" else f"`{value}` of ") + ", ".join(words)
    if origin == "ref":
        return f"{' `:` '.join(in_words(key) for key in value[1:])} in `{value[0]}`"
    if origin == "calc":
        return " ".join(f"{term[0]} `{term[1:]}`" for term in value).removeprefix("+ ")
    return SENTENCES[origin].format(_code(str(value) if isinstance(value, str) else _plain(value)))


def _plain(value: Any) -> str:
    return "null" if value is None else str(value).lower()


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _tables_of_codes(mapping: EntityMapping) -> str:
    """The tables of codes, as a list."""
    found = {
        f"`{column.name}`": text
        for column in mapping.columns.values()
        if column.name != "remote_archived"
        for text in [_codes(column)]
        if text
    }
    lines = [f"- {name}: {text}\n" for name, text in found.items()]
    return "\nFreshBooks' words, and those of the model:\n\n" + "".join(lines) if lines else ""


def _codes(column: Column) -> str:
    tables: dict[str, None] = {}
    for expression in column.expressions.values():
        for origin, codes, otherwise in _tables(expression):
            words = [f"{_plain(word)} → {_meaning(codes[word])}" for word in codes]
            words += [f"else {_meaning(otherwise)}"] if otherwise is not None else []
            tables[f"{origin}: {', '.join(words)}"] = None
    return "; ".join(tables)


def _meaning(meaning: Any) -> str:
    return "null" if meaning is None else _code(_plain(meaning))


def _tables(expression: Any) -> Iterator[tuple[str, dict[Any, Any], Any]]:
    if isinstance(expression, dict):
        if "codes" in expression:
            yield _origin(expression), expression["codes"], expression.get("else")
        inner = [*(expression.get("coalesce") or ()), *(expression.get("with") or {}).values()]
        for each in inner:
            yield from _tables(each)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(page(file.read_text(encoding="utf-8")), encoding="utf-8")
