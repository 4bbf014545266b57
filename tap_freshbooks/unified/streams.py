"""The unified streams: made of the records of the native ones, without requests of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from tap_freshbooks.records import DELETED_AT, DELETED_FLAG, Tombstone
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources.identity import Businesses
from tap_freshbooks.unified.column_types import SCHEMAS
from tap_freshbooks.unified.mapper import DOCUMENT, Mapper
from tap_freshbooks.unified.unmapped_values import UnmappedValues

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.bookmarks import BookmarkedStream
    from tap_freshbooks.streams.list_stream import ListStream
    from tap_freshbooks.unified.mapping import Column, EntityMapping


class UnifiedStream(DerivedStream):
    """A stream whose columns a mapping file describes."""

    source: ClassVar[type[ListStream]]
    mapping: ClassVar[EntityMapping]
    columns: ClassVar[Sequence[Column]]

    natives: ClassVar[dict[str, type[RecordStream]]]
    """The native stream of each root, by the root's name."""

    roots: ClassVar[tuple[type[ListStream], ...]]
    """The streams whose pages are read; `source` is the first."""

    selected_by_default = False
    has_fields_of_freshbooks = False
    key = ("company_id", "id")

    def __init_subclass__(cls) -> None:
        """Derive from all roots what the first alone does not say."""
        super().__init_subclass__()
        if "roots" not in vars(cls):
            return
        # A version of the table would have to wait for all of its sources.
        are_versioned = any(issubclass(each, HardDeleteStream) for each in cls.roots)
        assert len(cls.roots) == 1 or not are_versioned  # noqa: S101
        if any(root.replication is not Replication.FULL_TABLE for root in cls.roots):
            cls.replication = Replication.SERVER_FILTER
        cls.unconfirmed = " ".join(root.unconfirmed for root in cls.roots if root.unconfirmed)
        scopes = [word for root in cls.roots for word in root.oauth_scope.split()]
        cls.oauth_scope = " ".join(dict.fromkeys(scopes))

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.unmapped_values = UnmappedValues(self.logger)
        self._mappers: dict[tuple[str, bool], Mapper] = {}
        self._companies: dict[Any, str] = {}
        self._is_schema_written = False

    @classmethod
    @override
    def fixed_pace(cls) -> str:
        return f"is made of {' and '.join(root.name for root in cls.roots)}: name that instead"

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return cls.key

    @classmethod
    @override
    def record_schema(cls) -> dict[str, Any]:
        return {
            "type": "object",
            "description": f"{cls.mapping.description}.{cls.caution()}",
            "properties": {column.name: _schema(column) for column in cls.columns},
        }

    @classmethod
    def check(cls) -> None:
        """Compile the mapping.

        Raises:
            SettingsError: If it makes no sense.
        """
        for native in cls.natives.values():
            Mapper(cls.mapping, cls.columns, native, UnmappedValues(None), lambda _: "")

    @override
    def state_for(self, source: BookmarkedStream, context: Context | None) -> dict[str, Any]:
        if len(self.roots) == 1:
            return super().state_for(source, context)
        # The bookmark of one source says nothing about the others.
        if context is not None:
            return self.get_context_state({**context, "source": source.name})
        parts: dict[str, Any] = self.stream_state.setdefault("sources", {})
        state: dict[str, Any] = parts.setdefault(source.name, {})
        return state

    @override
    def write_schema(self) -> None:
        if not self._is_schema_written:
            self._is_schema_written = True
            super().write_schema()

    @override
    def derive(self, record: Row, source: RecordStream) -> Iterator[Row]:
        native = self.natives[source.name]
        mapper = self._mapper(source.name, native)
        if issubclass(native, LineItems):
            for line in native.lines_of(record):
                if mapper.accepts(line):
                    yield mapper.row({**line, DOCUMENT: record})
        elif mapper.accepts(record):
            yield mapper.row(record)

    @override
    def process_deletion(self, record: Row, source: RecordStream) -> None:
        native = self.natives[source.name]
        if not issubclass(native, LineItems):
            row = self._mapper(source.name, native, gone=True).row(record)
            mark = {DELETED_AT: record[DELETED_AT]} if self.key_book else {}
            self.write_record(Tombstone({**row, **mark}))

    @override
    def tombstone(self, record: Row) -> Tombstone:
        flags = {column.name: True for column in self.columns if column.name == DELETED_FLAG}
        return super().tombstone({**record, **flags})

    @override
    def finish(self) -> None:
        self.unmapped_values.report()
        super().finish()

    def _mapper(self, source: str, native: type[RecordStream], *, gone: bool = False) -> Mapper:
        if (source, gone) not in self._mappers:
            listener = UnmappedValues(None) if gone else self.unmapped_values
            self._mappers[source, gone] = Mapper(
                self.mapping, self.columns, native, listener, self.company
            )
        return self._mappers[source, gone]

    def company(self, record: Row) -> str:
        """The `company_id` of a native record."""
        identifier = record[self.source.identifier_kind.value]
        known = self._companies.get(identifier)
        if known is None:
            known = self._companies[identifier] = company_id(self._business_of(record))
        return known

    def _business_of(self, record: Row) -> Business:
        """The business of a record of a source."""
        kind = self.source.identifier_kind
        businesses = self.connection.businesses_with(kind)
        return next(each for each in businesses if each.identifier(kind) == record[kind.value])


def company_id(business: Business) -> str:
    """The id of a business in unified rows."""
    return f"{Businesses.name}:{business.business_id}"


class CompanyInfo(UnifiedStream):
    """A business, with its accounting system: records of both in one row.

    The businesses are known before anything is read; the systems are read, one for each that has
    an accounting system. A system that may not be read leaves its columns empty; one whose reading
    fails leaves the row as it was.
    """

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self._without_system: dict[int, Row] = {}

    @override
    def write_schema(self) -> None:
        super().write_schema()
        [native] = self.natives.values()
        businesses = cast("Businesses", native(self.tap))
        # Without business_ids, those of which the user is only a client are rows too.
        wanted = self.config.get("business_ids")
        self._without_system = {
            record["business_id"]: record
            for record in businesses.rows()
            if not wanted or record["business_id"] in wanted
        }

    @override
    def derive(self, record: Row, source: RecordStream) -> Iterator[Row]:
        business = self._business_of(record)
        if known := self._without_system.pop(business.business_id, None):
            yield from self._rows({**known, "system": record})

    @override
    def finish(self) -> None:
        with self.delivering(None):
            for business_id, record in self._without_system.items():
                if business_id in self._unread:
                    continue  # it has a system, whose columns would become empty
                for row in self._rows(record):
                    self.write_record(row)
        self._without_system = {}
        self.run.outcome.note_read(self.name)  # also where no system may be read
        super().finish()

    @property
    def _unread(self) -> set[int]:
        """Ids of the businesses whose systems could not be read, or are not due."""
        kind, has_failed = self.source.identifier_kind, self.run.outcome.has_failed
        return {
            business.business_id
            for business in self.connection.businesses
            if business.lacks_usable(kind)
            or has_failed(self.name, self.source.name, {kind.value: business.identifier(kind)})
        } | self._waiting

    @property
    def _waiting(self) -> set[int]:
        [system] = (self.tap.streams[root.name] for root in self.roots)
        plans = self.run.plans(cast("ListStream", system))
        return {plan.business.business_id for plan in plans if not plan.is_due}

    def _rows(self, record: Row) -> Iterator[Row]:
        [(source, native)] = self.natives.items()
        mapper = self._mapper(source, native)
        if mapper.accepts(record):
            yield mapper.row(record)

    @override
    def company(self, record: Row) -> str:
        return f"{Businesses.name}:{record['business_id']}"


def _schema(column: Column) -> dict[str, Any]:
    schema = dict(SCHEMAS[column.type])
    json_type = schema.pop("type")
    values = f" One of {', '.join(column.enum)}." if column.enum else ""
    return {
        "type": [json_type] if column.required else [json_type, "null"],
        **schema,
        "description": f"{column.description}{values}",
    }
