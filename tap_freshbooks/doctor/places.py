"""Where lists stand in an answer in which none is where it was expected.

That is what has to be known to read it. But a key may be a word of the customer, as in a map by
name: so of each key only those words are shown to others that are in names of our own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_freshbooks.doctor.structure import LONGEST_NAME
from tap_freshbooks.extraction.envelope import list_paths
from tap_freshbooks.printable import printable
from tap_freshbooks.schema.fields import Array, Object
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.doctor.findings import Verdict
    from tap_freshbooks.schema.fields import Field

MOST_PLACES = 10
DEEPEST = 6
"""Keys of a path that are shown."""

KEY = re.compile(r"[A-Za-z][A-Za-z_-]*")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
ENVELOPE = "response result results data items list lists rows records values objects entries meta"
"""Words that envelopes may have, besides those of streams and fields."""

HIDDEN = "?"
"""Stands for a word that is not ours."""


def with_places(verdict: Verdict, body: Any) -> Verdict:
    """The verdict with the paths to the lists of an answer; those with other words are private."""
    paths = [path[:DEEPEST] for path in islice(list_paths(body), MOST_PLACES)]
    shown = {path: ".".join(map(_in_our_words, path)) for path in paths}
    private = {path: printable(".".join(name[:LONGEST_NAME] for name in path)) for path in paths}
    others = [text for path, text in private.items() if text != shown[path]]
    return replace(verdict, names=tuple(dict.fromkeys(shown.values())), private=tuple(others))


def _in_our_words(key: str) -> str:
    if len(key) > LONGEST_NAME or not KEY.fullmatch(key):
        return HIDDEN
    known = _vocabulary()
    return WORD.sub(lambda word: word[0] if word[0].lower() in known else HIDDEN, key)


@lru_cache
def _vocabulary() -> frozenset[str]:
    return frozenset(
        word.lower() for name in (ENVELOPE, *_our_names()) for word in WORD.findall(name)
    )


def _our_names() -> Iterator[str]:
    for stream in STREAMS:
        yield stream.name
        yield from _field_names(stream.fields)
        yield from stream.plan_features
        if issubclass(stream, ListStream):
            yield from (stream.path, *stream.records)


def _field_names(field: Field) -> Iterator[str]:
    if isinstance(field, Array):
        yield from _field_names(field.item)
    elif isinstance(field, Object):
        for name, each in field.fields.items():
            yield name
            yield from _field_names(each)
