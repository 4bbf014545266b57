"""Writes `docs/streams.md`: what each stream is, as the code declares it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream

HEAD = """# Streams

Made from the code by `make docs`; do not edit.

**Replication**: *filter* means that FreshBooks lists what changed; *compared*, that every row is
read and what changed is delivered; *full*, that nothing tells what changed; *periods*, that closed
periods are read once and the last ones again. **Deletions**: *marked* rows come with
`_sdc_deleted_at`; *vanish* means that FreshBooks drops them without a trace, and the target is told
by ACTIVATE_VERSION. Streams in *italics* are not selected by default.

"""

COLUMNS = (
    *("stream", "what it is", "of each", "primary key", "replication", "deletions"),
    *("OAuth scope", "webhook event", "fields"),
)

WORDS = {
    Replication.SERVER_FILTER: "filter",
    Replication.CLIENT_FILTER: "compared",
    Replication.FULL_TABLE: "full",
    Replication.BY_PERIOD: "periods",
}


def page() -> str:
    """The page's text."""
    head = f"{HEAD}| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
    return head + "".join(_row(stream) for stream in STREAMS)


def _row(stream: type[RecordStream]) -> str:
    source = stream.source if issubclass(stream, DerivedStream) else stream
    scope = source.identifier_kind.value if issubclass(source, ListStream) else "user"
    name = f"`{stream.name}`" if stream.selected_by_default else f"*`{stream.name}`*"
    cells = [
        name,
        (stream.__doc__ or "").partition("\n")[0],
        f"`{scope}`" if scope != "user" else scope,
        ", ".join(f"`{key}`" for key in stream.record_keys()),
        WORDS[stream.replication]
        + (f", `{stream.timestamp_field}`" if stream.timestamp_field else ""),
        _deletions(source),
        f"`{stream.oauth_scope}`" if stream.oauth_scope.startswith("user:") else stream.oauth_scope,
        f"`{source.webhook_noun}`" if source.webhook_noun else "",
        str(len(stream.record_properties())),
    ]
    return f"| {' | '.join(cells)} |\n"


def _deletions(source: type[RecordStream]) -> str:
    if issubclass(source, HardDeleteStream):
        return "vanish"
    return "marked" if issubclass(source, ListStream) and source.marks_deletions else ""


if __name__ == "__main__":
    sys.stdout.write(page())
