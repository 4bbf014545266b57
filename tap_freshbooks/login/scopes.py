"""Which OAuth scopes the selected streams need, and which streams a token may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.tap import TapFreshBooks

PROFILE = "user:profile:read"
"""Granted to every app, whatever it asks for (`docs/freshbooks-api/auth.md §8`)."""

EVERYTHING = "admin:all:legacy"
"""What apps have that are older than scopes (`docs/freshbooks-api/auth.md §4`)."""

SCOPE = re.compile(r"[a-z]\w*(:\w+)+")


def scopes_of(stream: type[RecordStream] | RecordStream) -> tuple[str, ...]:
    """The scopes that a stream needs; none, if that depends on what is found there."""
    return tuple(word for word in stream.oauth_scope.split() if SCOPE.fullmatch(word))


def selected(tap: TapFreshBooks) -> list[RecordStream]:
    """The streams that a sync with this catalog would read."""
    streams = (each for each in tap.streams.values() if isinstance(each, RecordStream))
    return [stream for stream in streams if stream.selected]


def needed(streams: Iterable[RecordStream]) -> tuple[str, ...]:
    """What to ask for, so that all these streams can be read."""
    scopes = {scope for stream in streams for scope in scopes_of(stream)}
    return tuple(sorted(scopes | {PROFILE}))


def parse(text: str) -> tuple[str, ...]:
    """The scopes that a user lists.

    Raises:
        SettingsError: If one is none.
    """
    scopes = set(text.replace(",", " ").split())
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise SettingsError(
                f"--scopes names {scope!r}, which is no scope; they look like user:invoices:read "
                "(docs/streams.md says which stream needs which)"
            )
    return tuple(sorted(scopes | {PROFILE}))


def missing(stream: RecordStream, granted: frozenset[str]) -> tuple[str, ...]:
    """The scopes that a token lacks to read a stream."""
    if EVERYTHING in granted:
        return ()
    return tuple(scope for scope in scopes_of(stream) if scope not in granted)
