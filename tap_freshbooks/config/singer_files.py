"""Reads the files of `--state` and `--catalog`."""

from __future__ import annotations

import json
from typing import IO, Any

from singer_sdk.singerlib import Catalog

from tap_freshbooks.errors import SettingsError


def read_state(file: IO[str] | None) -> dict[str, Any] | None:
    """Read the file of `--state`; an empty one means no state.

    Raises:
        SettingsError: If it is not a Singer state.
    """
    state = _read_json(file, "state")
    if state is None:
        return None
    if isinstance(state, dict) and state.get("type") == "STATE":
        state = state.get("value")  # a line of the tap's own output, not of the target's
    bookmarks = state.get("bookmarks", {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(map(_is_bookmark, bookmarks.values())):
        raise SettingsError(
            "the state file does not have the form of a Singer state; without --state "
            "everything is read again"
        )
    return dict(state)


def _is_bookmark(bookmark: Any) -> bool:
    """True for the state of one stream, whose partitions have one context each."""
    if not isinstance(bookmark, dict):
        return False
    partitions = bookmark.get("partitions", [])
    if not isinstance(partitions, list):
        return False
    contexts = [part.get("context") if isinstance(part, dict) else None for part in partitions]
    distinct = {json.dumps(context, sort_keys=True) for context in contexts}
    return all(isinstance(each, dict) for each in contexts) and len(distinct) == len(contexts)


def read_catalog(file: IO[str] | None) -> Catalog | None:
    """Read the file of `--catalog`.

    Raises:
        SettingsError: If it is not a Singer catalog.
    """
    catalog = _read_json(file, "catalog")
    if catalog is None:
        return None
    try:
        return Catalog.from_dict(catalog)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SettingsError(
            "the catalog file does not have the form of a Singer catalog; make one with --discover"
        ) from None


def _read_json(file: IO[str] | None, kind: str) -> Any:
    try:
        text = file.read() if file else ""
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        raise SettingsError(f"the {kind} file is not valid JSON") from None
