"""The families of endpoints: how each filters, spells its parameters and shows deletions."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import EASTERN, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tap_freshbooks.extraction.list_endpoint import Query
    from tap_freshbooks.records import Row

DELETED = 1
"""`vis_state` of a deleted accounting record; 0 is active, 2 archived.

See `docs/freshbooks-api/accounting.md §5`.
"""


class AccountingStream(ListStream):
    """`/accounting/account/{account_id}/…`: `search[…]` filters by day, deletions by vis_state.

    A subclass gives `resource` (the end of the path) and `list_key`; unknown filters are
    ignored in silence, so only proven ones are sent (`docs/freshbooks-api/accounting.md §4`).
    """

    identifier_kind = IdentifierKind.ACCOUNT
    resource: ClassVar[str]
    list_key: ClassVar[str]
    includes: ClassVar[tuple[str, ...]] = ()
    timestamp_field: ClassVar[str | None] = "updated"
    replication = Replication.SERVER_FILTER
    marks_deletions = True

    deletions_move_timestamps: ClassVar[bool] = True
    """Whether a deletion moves the timestamp."""

    newest_first: ClassVar[bool] = False
    """Whether the list is proven to be sorted by id, so that an edit moves nothing
    (`docs/freshbooks-api/accounting.md §3`)."""

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "resource" in vars(cls):
            cls.path = f"/accounting/account/{{account_id}}/{cls.resource}"
            cls.records = ("response", "result", cls.list_key)
            if cls.includes:
                cls.query = {"include[]": list(cls.includes)}

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        yield self.filter_query(since)

    @override
    def deleted_queries(self, since: datetime | None) -> Iterator[Query]:
        # Lists never show deleted rows; archived ones (2) they do
        # (`docs/freshbooks-api/accounting.md §5`).
        if self.marks_deletions and self.config["include_deleted"]:
            yield {**self.filter_query(since), "search[vis_state]": DELETED}

    @staticmethod
    def changed_since(since: datetime) -> Query:
        """The filter of this family: by Eastern day, as timestamps are; no time is understood."""
        return {"search[updated_min]": since.astimezone(EASTERN).date().isoformat()}

    @override
    def is_deleted(self, record: Row) -> bool:
        return record.get("vis_state") == DELETED

    @override
    def change_queries(self, since: datetime) -> Sequence[Query] | None:
        if not (self.timestamp_field and self.marks_deletions and self.deletions_move_timestamps):
            return None
        if self.replication is Replication.SERVER_FILTER:
            changed = self.changed_since(since)
            return [changed, {**changed, "search[vis_state]": DELETED}]
        return [] if self.config["include_deleted"] else None

    @override
    def changes_order(self, row: Row) -> bool:
        return not self.newest_first or row.get("vis_state") == DELETED


class ProjectStream(ListStream):
    """`/projects`, `/timetracking`, `/comments`: bare parameters, `meta`, flags instead of states.

    `search[…]` is ignored here in silence (`docs/freshbooks-api/projects-and-time.md §3`).
    """

    identifier_kind = IdentifierKind.BUSINESS
    service: ClassVar[str]
    list_key: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "service" in vars(cls):
            cls.path = f"/{cls.service}/business/{{business_id}}/{cls.list_key}"
            cls.records = (cls.list_key,)

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        yield self.filter_query(since)

    @staticmethod
    def changed_since(since: datetime) -> Query:
        """The filter of this family: UTC, to the second, inclusive."""
        return {"updated_since": utc_text(since.astimezone(UTC).replace(microsecond=0))}

    @override
    def is_deleted(self, record: Row) -> bool:
        return record.get("active") is False


class LedgerStream(ListStream):
    """`/accounting/businesses/{business_uuid}/…`: everything in one answer, no filter."""

    identifier_kind = IdentifierKind.LEDGER
    paged = False
    resource: ClassVar[str]
    records: ClassVar[tuple[str, ...]] = ("data",)
    key: ClassVar[tuple[str, ...]] = ("uuid",)

    def __init_subclass__(cls) -> None:
        """Spell the facts of a resource the way this family does."""
        super().__init_subclass__()
        if "resource" in vars(cls):
            cls.path = f"/accounting/businesses/{{business_uuid}}/{cls.resource}"

    @override
    def list_queries(self, since: datetime | None) -> Iterator[Query]:
        yield {}
