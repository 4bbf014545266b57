"""Tells of streams that a user names and this tap does not have: nothing is left out in silence."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog

logger = logging.getLogger("tap-freshbooks")


def tell_of_catalog(catalog: Catalog, streams: Mapping[str, Stream]) -> None:
    """Name the selected streams of a catalog that are not there; and tell if none is selected."""
    for name, entry in catalog.items():
        if name not in streams and entry.metadata.resolve_selection()[()]:
            logger.warning(
                "The catalog selects a stream %s, which is not there%s", name, hint(name, streams)
            )
    if not any(stream.selected for stream in streams.values()):
        logger.warning("The catalog selects no stream: there is nothing to read")


def tell_of_state(state: Mapping[str, Any], streams: Collection[str]) -> None:
    """Tell if a state knows none of the streams: that of another tap, say."""
    names = list(state.get("bookmarks", ()))
    if names and not set(names) & set(streams):
        logger.warning(
            "The state knows no stream of this tap, but %s: everything is read", ", ".join(names)
        )


def hint(name: str, known: Collection[str]) -> str:
    """The known name that is nearest, for the end of a sentence; empty if none is near."""
    near = get_close_matches(name, known, 1)
    return f" (did you mean {near[0]}?)" if near else ""
