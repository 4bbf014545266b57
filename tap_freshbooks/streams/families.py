"""The families of endpoints: how each filters, spells its parameters and shows deletions."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.identity import Scope
from tap_freshbooks.streams.base import Replication, Row
from tap_freshbooks.streams.lists import OVERLAP, FreshBooksStream, Query
from tap_freshbooks.times import EASTERN, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

DELETED = 1
"""`vis_state` of a deleted accounting record; 0 is active, 2 archived (`accounting.md §5`)."""


class AccountingStream(FreshBooksStream):
    """`/accounting/account/{account_id}/…`: `search[…]` filters by day, deletions by vis_state.

    A subclass gives `resource` (the end of the path) and `list_key`; unknown filters are
    ignored in silence, so only proven ones are sent (`accounting.md §4`).
    """

    scope = Scope.ACCOUNT
    resource: ClassVar[str]
    list_key: ClassVar[str]
    includes: ClassVar[tuple[str, ...]] = ()
    stamp: ClassVar[str | None] = "updated"
    replication = Replication.FILTERED
    shows_deletions = True

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "resource" in vars(cls):
            cls.path = f"/accounting/account/{{account_id}}/{cls.resource}"
            cls.records = ("response", "result", cls.list_key)
            if cls.includes:
                cls.query = {"include[]": list(cls.includes)}

    @override
    def passes(self, since: datetime | None) -> Iterator[Query]:
        changed = {}
        if since is not None and self.replication is Replication.FILTERED:
            changed = {"search[updated_min]": self.filter_day(since)}
        yield changed
        # Lists never show deleted rows; archived ones (2) they do (`accounting.md §5`).
        if self.shows_deletions and self.config["include_deleted"]:
            yield {**changed, "search[vis_state]": DELETED}

    @staticmethod
    def filter_day(since: datetime) -> str:
        """The day to ask from: Eastern, as stamps are compared; a time is not understood."""
        return (since.astimezone(EASTERN) - OVERLAP).date().isoformat()

    @override
    def is_deleted(self, record: Row) -> bool:
        return record.get("vis_state") == DELETED


class ProjectStream(FreshBooksStream):
    """`/projects`, `/timetracking`, `/comments`: bare parameters, `meta`, flags instead of states.

    `search[…]` is ignored here in silence (`projects-and-time.md §3`).
    """

    scope = Scope.BUSINESS
    service: ClassVar[str]
    list_key: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "service" in vars(cls):
            cls.path = f"/{cls.service}/business/{{business_id}}/{cls.list_key}"
            cls.records = (cls.list_key,)

    @override
    def passes(self, since: datetime | None) -> Iterator[Query]:
        yield self.changed_since(since)

    def changed_since(self, since: datetime | None) -> Query:
        """The filter of this family: UTC, to the second, inclusive."""
        if since is None or self.replication is not Replication.FILTERED:
            return {}
        moment = (since.astimezone(UTC) - OVERLAP).replace(microsecond=0)
        return {"updated_since": utc_text(moment)}

    @override
    def is_deleted(self, record: Row) -> bool:
        return record.get("active") is False


class LedgerStream(FreshBooksStream):
    """`/accounting/businesses/{business_uuid}/…`: everything in one answer, no filter."""

    scope = Scope.LEDGER
    resource: ClassVar[str]
    records: ClassVar[tuple[str, ...]] = ("data",)
    key: ClassVar[tuple[str, ...]] = ("uuid",)

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "resource" in vars(cls):
            cls.path = f"/accounting/businesses/{{business_uuid}}/{cls.resource}"

    @override
    def passes(self, since: datetime | None) -> Iterator[Query]:
        yield {}
