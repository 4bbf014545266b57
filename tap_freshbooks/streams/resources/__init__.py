"""The resources of FreshBooks: a class for each says where and how it is read, and its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.streams.base import RecordStream
from tap_freshbooks.streams.resources import (
    account,
    bills,
    catalogue,
    identity,
    invoices,
    ledger,
    people,
    projects,
    report_ledgers,
    report_sales,
    report_spending,
    report_statements,
    sales,
    spend,
    time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULES = (
    identity,
    people,
    invoices,
    sales,
    catalogue,
    spend,
    bills,
    ledger,
    projects,
    time,
    account,
    report_statements,
    report_ledgers,
    report_sales,
    report_spending,
)
"""In the order in which a sync reads them."""


def _streams_of(module: ModuleType) -> Iterator[type[RecordStream]]:
    """The streams that a module declares, in its order; what they share has no name."""
    for member in vars(module).values():
        is_own = isinstance(member, type) and member.__module__ == module.__name__
        if is_own and issubclass(member, RecordStream) and "name" in vars(member):
            yield member


STREAMS: tuple[type[RecordStream], ...] = tuple(
    stream for module in MODULES for stream in _streams_of(module)
)
