"""The words of enums in the declared fields are those of the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.schema.fields import Array, Field, Object, Word
from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.facts import FILES, fields_of, read

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMED = {file.stem for file in FILES}
LISTS = [
    stream
    for stream in STREAMS
    if stream.name in NAMED and not issubclass(stream, (Report, ReportRows))
]


def declared(field: Field, path: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(field, Object):
        for name, inner in field.fields.items():
            yield from declared(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(field, Array):
        yield from declared(field.item, path)
    elif isinstance(field, Word):
        yield path, frozenset(field.words)


def told(fields: dict[str, Any], path: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    for name, field in fields.items():
        where = f"{path}.{name}".lstrip(".")
        values = field.get("values") or field.get("enum") or ()
        if values and field.get("confidence") != "low" and isinstance(values[0], str):
            yield where, frozenset(values)
        inner = field.get("properties") or field.get("items", {}).get("properties") or {}
        yield from told(inner, where)


@pytest.mark.parametrize("stream", LISTS, ids=lambda stream: stream.name)
def test_the_words_of_a_stream_are_those_of_the_facts(stream: Any) -> None:
    facts = dict(told(fields_of(read(stream.name))))
    here = dict(declared(stream.fields))
    # The same parts stand in several resources, of which one file may tell more than another.
    shared = {path for path in here.keys() - facts.keys() if "." in path}
    assert {path: words for path, words in here.items() if path not in shared} == facts
