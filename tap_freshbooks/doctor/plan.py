"""Which streams and businesses are examined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.businesses import Business
from tap_freshbooks.doctor.subjects import Subject
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.streams.constant_list import ConstantList
from tap_freshbooks.streams.families import LedgerStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream

    from tap_freshbooks.connection import Connection

UNKNOWN = Business(0, "0", "0", "", "", frozenset())
"""A business whose requests are counted before any is known."""


def chosen_streams(
    streams: Mapping[str, Stream], names: Sequence[str], *, has_catalog: bool
) -> list[type[ListStream]]:
    """The streams to examine: those named, those of the catalog, else all lists of FreshBooks.

    Without a choice all lists are examined, since those that are off by default are those about
    which least is known. Of those that custom_streams adds, nothing is known that could be true.

    Raises:
        SettingsError: If a name is none of a list.
    """
    built_in = {stream.name for stream in STREAMS}
    lists = {
        name: (stream, list_class)
        for name, stream in streams.items()
        if name in built_in and (list_class := _list_class(stream)) is not None
    }
    for name in names:
        if name not in lists:
            raise SettingsError(
                f"--stream {name} is no list that FreshBooks is known to have; there are "
                f"{', '.join(lists)}"
            )
    if names:
        return [lists[name][1] for name in dict.fromkeys(names)]
    return [
        list_class for stream, list_class in lists.values() if stream.selected or not has_catalog
    ]


def _list_class(stream: Stream) -> type[ListStream] | None:
    """The class with the facts about a list; None of what is none.

    A list that is the same for everybody is looked at as one of the ledger, without an identifier.
    """
    if isinstance(stream, ListStream):
        return type(stream)
    if not isinstance(stream, ConstantList):
        return None
    names = ("name", "path", "key", "fields", "oauth_scope")
    return type("Constant", (LedgerStream,), {name: getattr(stream, name) for name in names})


def subjects_before(streams: Sequence[type[ListStream]], businesses: int) -> list[Subject]:
    """As many subjects as there can be, to count their requests before the businesses are known."""
    return [
        Subject(stream, UNKNOWN, number)
        for stream in streams
        for number in range(1, max(businesses, 1) + 1)
    ]


def subjects_of(
    streams: Sequence[type[ListStream]], connection: Connection, business_ids: Sequence[int]
) -> list[Subject]:
    """The streams in the businesses named; else each in the first that has the identifier for it.

    Raises:
        SettingsError: If a business is none that the user may read.
    """
    known = {
        business.business_id: (number, business)
        for number, business in enumerate(connection.businesses, start=1)
    }
    for business_id in business_ids:
        if business_id not in known:
            there = ", ".join(str(business) for _, business in known.values())
            raise SettingsError(
                f"--business {business_id} is none that the user may read; there are "
                f"{there or 'none'}"
            )
    chosen = [known[business_id] for business_id in dict.fromkeys(business_ids)]
    subjects = []
    for stream in streams:
        usable = [
            Subject(stream, business, number)
            for number, business in chosen or known.values()
            if business.identifier(stream.identifier_kind) is not None
        ]
        subjects += usable if chosen else usable[:1]
    return subjects
