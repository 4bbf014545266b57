"""The kind of identifier that the path of an endpoint wants, as far as our streams show it."""

from __future__ import annotations

import re

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.resources import STREAMS

PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")

PREFIXES = {
    stream.path.partition("{")[0]: stream.identifier_kind
    for stream in STREAMS
    if issubclass(stream, ListStream) and "{" in stream.path
}
"""How paths begin whose next segment is an identifier, and of which kind."""


def wanted_identifier(path: str) -> tuple[IdentifierKind | None, str]:
    """The kind of identifier that a path wants, None if it is not known; and what stands there."""
    for prefix in sorted(PREFIXES, key=len, reverse=True):
        if path.startswith(prefix):
            return PREFIXES[prefix], re.split(r"[/?]", path[len(prefix) :])[0]
    return None, ""


def unknown_placeholder(path: str) -> str | None:
    """A name in braces that is no identifier, if there is one."""
    names = {scope.value for scope in IdentifierKind}
    return next((name for name in PLACEHOLDER.findall(path) if name not in names), None)
