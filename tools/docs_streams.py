"""Writes `docs/streams.md`: a table of all streams, as the code declares them."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from tap_freshbooks.streams.base import HOW_TO_REPORT
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream

HEAD = """# Streams

Made from the code by `make docs`; do not edit.

**Replication**: *server filter* means that FreshBooks lists the changed rows; *client filter*, that
all rows are read and the changed ones delivered; *full table*, that nothing shows what changed;
*by period*, that closed periods are read once and the last ones again. **Deletions**: *marked* rows
come with `_sdc_deleted_at`; *hard* means that FreshBooks drops them without a trace; the setting
`hard_deletes` says what a target is told then. **Interval**: *yes* where FreshBooks has no filter
for what changed, so that each reading is of the whole: the setting `full_table_interval` says how
often (docs/reading.md, on what is not asked more often than it pays); a name is that of the
stream whose interval counts, as the rows come with it. Streams in *italics* are not selected by
default.

"""

UNCONFIRMED = f"""**Unconfirmed**: nobody has published what FreshBooks answers there, or what
stands in it, so that the stream rests on a guess; none of them is selected by default.
{HOW_TO_REPORT}"""


COLUMNS = (
    *("stream", "what it is", "of each", "primary key", "replication", "interval", "deletions"),
    *("OAuth scope", "webhook event", "fields"),
)

REPLICATION = {
    Replication.SERVER_FILTER: "server filter",
    Replication.CLIENT_FILTER: "client filter",
    Replication.FULL_TABLE: "full table",
    Replication.BY_PERIOD: "by period",
}


def page() -> str:
    """The whole page."""
    head = (
        f"{HEAD}{fill(UNCONFIRMED, 100)}\n\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
    )
    return head + "".join(_row(stream) for stream in STREAMS)


def _row(stream: type[RecordStream]) -> str:
    source = stream.source if issubclass(stream, DerivedStream) else stream
    scope = source.identifier_kind.value if issubclass(source, ListStream) else "user"
    name = f"`{stream.name}`" if stream.selected_by_default else f"*`{stream.name}`*"
    cells = [
        name,
        _summary(stream),
        f"`{scope}`" if scope != "user" else scope,
        ", ".join(f"`{key}`" for key in stream.record_keys()),
        REPLICATION[stream.replication]
        + (f", `{stream.timestamp_field}`" if stream.timestamp_field else ""),
        _interval(stream, source),
        _deletions(source),
        f"`{stream.oauth_scope}`" if stream.oauth_scope.startswith("user:") else stream.oauth_scope,
        f"`{source.webhook_noun}`" if source.webhook_noun else "",
        str(len(stream.record_properties())),
    ]
    return f"| {' | '.join(cells)} |\n"


def _summary(stream: type[RecordStream]) -> str:
    summary = (stream.__doc__ or "").partition("\n")[0]
    return f"{summary} **Unconfirmed**: {stream.unconfirmed}" if stream.unconfirmed else summary


def _interval(stream: type[RecordStream], source: type[RecordStream]) -> str:
    if source.fixed_pace():
        return ""
    return "yes" if stream is source else f"`{source.name}`"


def _deletions(source: type[RecordStream]) -> str:
    if issubclass(source, HardDeleteStream):
        return "hard"
    return "marked" if issubclass(source, ListStream) and source.marks_deletions else ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
