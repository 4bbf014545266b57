"""`tap-freshbooks status --all`: the connections of a database, as they are stored."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from tap_freshbooks.commands.options import show
from tap_freshbooks.errors import ExitStatus
from tap_freshbooks.oauth.stores.overview import Flag
from tap_freshbooks.timestamps import utc_text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.oauth.stores.base import TokenStore
    from tap_freshbooks.oauth.stores.overview import Overview

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning."""


def show_all(store: TokenStore, *, as_json: bool) -> ExitStatus:
    """Show all connections of a store; FreshBooks is not asked, and no token is touched.

    Returns:
        `REAUTHORIZE` if one of them must be authorised again.

    Raises:
        SettingsError: If the store is a file.
        TokenStoreError: If it cannot be read.
    """
    found = store.overviews()
    if as_json:
        show_json(store, {"connections": [each.as_json() for each in found]})
    else:
        show(f"Connections in {store.place}: {len(found)}")
        for overview in found:
            for line in _lines(overview):
                show(line)
    is_lost = any(each.flag is Flag.NEEDS_AUTHORIZATION for each in found)
    return ExitStatus.REAUTHORIZE if is_lost else ExitStatus.DONE


def show_json(store: TokenStore | None, content: dict[str, Any]) -> None:
    """Print a JSON document, whose characters are plain ASCII."""
    head = {"format": FORMAT, "store": store.place if store else None}
    click.echo(json.dumps({**head, **content}, indent=2))


def _lines(overview: Overview) -> Iterator[str]:
    notes, rejection = overview.notes, overview.rejection
    app = f" (app {overview.client_id[:12]})" if overview.client_id else ""
    condition = overview.flag.value.replace("_", " ")
    if rejection:
        condition += f" since {utc_text_at(rejection.since)}: {rejection.reason}"
    yield f"{overview.connection}{app}: {condition}"
    if notes and notes.owner:
        yield f"  {notes.owner}"
    if notes and notes.refreshed_at:
        age = duration(time.time() - notes.refreshed_at)
        yield f"  generation {notes.generation}, made {age} ago"
    yield from success_lines(overview)


def success_lines(overview: Overview) -> Iterator[str]:
    """A line about the last syncs, if there were any."""
    if moments := overview.last_success:
        now = time.time()
        oldest = min(moments, key=lambda stream: moments[stream])
        yield (
            f"  last success: {duration(now - max(moments.values()))} ago; of {len(moments)} "
            f"streams, {oldest} waits longest ({duration(now - moments[oldest])})"
        )


def duration(seconds: float) -> str:
    """How long something takes, in words."""
    minutes, hours, days = int(seconds / 60), int(seconds / 3600), int(seconds / 86400)
    if days > 1:
        return f"{days} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
