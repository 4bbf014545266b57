"""The OAuth scopes that streams need, and those that a token lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.tokens import LEGACY_ALL
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.tap import TapFreshBooks

PROFILE = "user:profile:read"
"""Granted to every app, whatever it asks for (`docs/freshbooks-api/auth.md §8`)."""

SCOPE = re.compile(r"[a-z]\w*(:\w+)+")
OR = re.compile(r"\s+or\s+")


def required_scopes(stream: type[RecordStream] | RecordStream) -> tuple[str, ...]:
    """The scopes that a stream needs; none, if that depends on its rows.

    Of two that do as well it is the first.
    """
    return tuple(first for first, *_ in _choices(stream))


def _choices(stream: type[RecordStream] | RecordStream) -> Iterator[list[str]]:
    """For each scope that a stream needs, those that do as well: `one or other` are two."""
    for word in OR.sub("|", stream.oauth_scope).split():
        scopes = word.split("|")
        if all(map(SCOPE.fullmatch, scopes)):
            yield scopes


def selected_streams(tap: TapFreshBooks) -> list[RecordStream]:
    """The streams that a sync with this catalog would read."""
    streams = (each for each in tap.streams.values() if isinstance(each, RecordStream))
    return [stream for stream in streams if stream.selected]


def required_by(streams: Iterable[RecordStream]) -> tuple[str, ...]:
    """The scopes to ask for, so that all these streams can be read."""
    scopes = {scope for stream in streams for scope in required_scopes(stream)}
    return tuple(sorted(scopes | {PROFILE}))


def parse_scopes(text: str) -> tuple[str, ...]:
    """The scopes in the value of `--scopes`; none, if it is empty.

    Raises:
        SettingsError: If one does not have the form of a scope.
    """
    scopes = set(text.replace(",", " ").split())
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise SettingsError(
                f"--scopes names {scope!r}, which is no scope; they look like user:invoices:read "
                "(docs/streams.md says which stream needs which)"
            )
    return tuple(sorted(scopes | {PROFILE})) if scopes else ()


def missing_scopes(stream: RecordStream, granted: frozenset[str]) -> tuple[str, ...]:
    """The scopes that a token lacks to read a stream."""
    if LEGACY_ALL in granted:
        return ()
    return tuple(scopes[0] for scopes in _choices(stream) if granted.isdisjoint(scopes))
