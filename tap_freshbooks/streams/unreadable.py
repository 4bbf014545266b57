"""What cannot be read because of how FreshBooks names businesses: it costs only what needs that.

The connection has told what is wrong with a name (`connection.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.streams.list_resource import ListResource
from tap_freshbooks.streams.outcome import Outcome, Source
from tap_freshbooks.streams.resources.identity import Businesses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import RecordStream


def unreached(connection: Connection, sources: Iterable[RecordStream]) -> str:
    """Why a run reaches no business at all, as a sentence; empty if it reaches one.

    Args:
        connection: The FreshBooks user.
        sources: The streams that are read.
    """
    names = ", ".join(map(str, connection.businesses))
    lists = [stream for stream in sources if isinstance(stream, ListResource)]
    if not connection.businesses:
        clients = ", ".join(map(str, connection.members))
        found = (
            f"the FreshBooks user is only a client of {clients}"
            if clients
            else "FreshBooks names none of which the user is a member"
        )
    elif lists and not any(stream.partitions for stream in lists):
        kinds = sorted({stream.identifier_kind.value for stream in lists})
        found = f"{names} has no {' or '.join(kinds)}, which every selected stream needs"
    else:
        return ""
    return (
        f"no business was reached: {found}. Was the user removed from it, or is another user "
        "connected than you think? `tap-freshbooks status` shows who is; `tap-freshbooks login` "
        "connects another one"
    )


def note_unreadable(
    connection: Connection, sources: Iterable[RecordStream], outcome: Outcome
) -> None:
    """Let streams fail that cannot ask for their rows of a business.

    It has no partition by which its place in the state would be known. So no bookmark is
    concerned, but none of these streams is whole, and no version of their tables is activated.

    Args:
        connection: The FreshBooks user.
        sources: The streams that are read.
        outcome: Of the run.
    """
    for stream in sources:
        names = [consumer.name for consumer in stream.consumers]
        if isinstance(stream, ListResource):
            kind = stream.identifier_kind
            for business in connection.businesses:
                if business.lacks_usable(kind):
                    partition = {kind.value: None, "business": business.business_id}
                    outcome.lack(Source(stream.name, partition, business), names)
        if connection.unreadable and isinstance(stream, ListResource | Businesses):
            outcome.lack(Source(stream.name, {}, None), names)
