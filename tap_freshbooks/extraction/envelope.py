"""Reads the envelope of a list: its rows, and the page metadata beside them."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.extraction.pagination import Page, PageMetadata, UnreadableMetadataError
from tap_freshbooks.transport.lazy_rows import LazyRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_freshbooks.records import Row
    from tap_freshbooks.transport.request import Response


MAX_NAMED = 10
"""Lists that a message names."""

MAX_NAME_LENGTH = 100


def read_page(response: Response, number: int, records: Sequence[str], subject: str) -> Page:
    """Make a page of a response.

    Args:
        response: To the request for the page.
        number: Of the page that was asked for, from 1.
        records: Keys to the list, from outside in; `a|b` means either, `a|` that the list may also
            stand there without a key.
        subject: What is read, for messages.

    Raises:
        FreshBooksError: If there is no list, or if its rows are no objects.
    """
    rows, metadata = read_rows(response.body, records, subject)
    return Page(number, rows, metadata, response.date, response.sent, response.received)


def read_rows(
    body: Any, records: Sequence[str], subject: str
) -> tuple[Sequence[Row], PageMetadata]:
    """Find the rows of a response, or its one object, and the page metadata.

    Args:
        body: Of the response, decoded.
        records: Keys to the list, from outside in; `a|b` means either, `a|` that the list may also
            stand there without a key.
        subject: What is read, for messages.

    Raises:
        FreshBooksError: If there is no list, or if its rows are no objects.
    """
    rows, metadata = read_list(body, records, subject)
    if not isinstance(rows, LazyRows) and not all(isinstance(row, dict) for row in rows):
        raise FreshBooksError(f"{subject}: the answer has rows that are no objects")
    return rows, metadata


def read_list(
    body: Any, records: Sequence[str], subject: str
) -> tuple[Sequence[Any], PageMetadata]:
    """The same for a list of anything.

    Raises:
        FreshBooksError: If there is no list.
    """
    holder, found = body, body
    for names in records:
        if isinstance(found, list) and names.endswith("|"):
            continue
        if not isinstance(found, dict):
            found = None
            break
        holder = found
        spellings = (names, *names.rstrip("|").split("|"))
        found = next((holder[name] for name in spellings if name in holder), None)
    if isinstance(found, dict):
        return [found], PageMetadata(1, 1, 1)
    if not isinstance(found, list | LazyRows):
        # Not an empty list: with a wrong key every account would look empty.
        paths = islice(list_paths(body), MAX_NAMED)
        there = ", ".join(".".join(path)[:MAX_NAME_LENGTH] for path in paths)
        raise FreshBooksError(
            f"{subject}: the answer has no list at {'.'.join(records)}; "
            f"{f'it has one at {there}' if there else 'it has none at all'}. In custom_streams, "
            "mend `records_path`; of a stream that is built in, please report this"
        )
    try:
        return found, PageMetadata.read(holder if isinstance(holder, dict) else {})
    except UnreadableMetadataError as error:
        raise FreshBooksError(f"{subject}: {error}; please report this") from None


def find_list(body: Any) -> tuple[str, ...]:
    """Keys to the list of a response of an unknown kind: the one that is nearest to its root.

    Raises:
        FreshBooksError: If there is none, or if several stand beside each other.
    """
    if isinstance(body, list):
        return ()
    paths = list(list_paths(body))
    if not paths:
        raise FreshBooksError("the answer holds no list whose pages could be read")
    nearest = paths[0]
    names = [path[-1] for path in paths if path[:-1] == nearest[:-1]]
    if len(names) > 1:
        raise FreshBooksError(
            f"the answer holds several lists ({', '.join(names[:MAX_NAMED])}): it is not known "
            "whose pages are wanted"
        )
    return nearest


def list_paths(body: Any) -> Iterator[tuple[str, ...]]:
    """Keys to each list of a response, those near its root first."""
    level: deque[tuple[tuple[str, ...], Any]] = deque([((), body)])
    while level:
        path, holder = level.popleft()
        for name, value in holder.items() if isinstance(holder, dict) else ():
            if isinstance(value, list):
                yield (*path, name)
            else:
                level.append(((*path, name), value))
