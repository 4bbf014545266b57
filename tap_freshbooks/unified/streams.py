"""The unified streams: made of the records of the native ones, at no request of their own."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.fields import Object, UtcTime
from tap_freshbooks.streams.account import Systems
from tap_freshbooks.streams.base import DELETED_AT, RecordStream, Replication, Row
from tap_freshbooks.streams.derived import DerivedStream, Lines
from tap_freshbooks.streams.identity import Businesses
from tap_freshbooks.streams.lists import SCOPE_FIELDS, FreshBooksStream
from tap_freshbooks.streams.vanishing import Vanishing
from tap_freshbooks.unified import paths
from tap_freshbooks.unified.expressions import SCHEMAS, Place, compiled
from tap_freshbooks.unified.mapping import OURS, VERSION, Column, EntityMapping, MappingError, load

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.identity import Business
    from tap_freshbooks.unified.expressions import Function, Listener

REMOTE_DATA = "remote_data"

DOCUMENT = "document"
"""What paths call the document of a line."""

SHOWN_WORD = re.compile(r"[\w .,/&+-]{1,40}")


def stream_classes(
    native: Sequence[type[RecordStream]], folder: str | None, *, remote_data: bool
) -> list[type[UnifiedStream]]:
    """The unified streams.

    Args:
        native: The streams that they are made of.
        folder: The setting `unified_mappings`.
        remote_data: The setting `unified_remote_data`.

    Raises:
        SettingsError: If a file of the user's makes no sense; it names file, field and reason.
    """
    by_name = {stream.name: stream for stream in native}
    classes = []
    for mapping in load(folder).values():
        natives = [by_name[name] for name in mapping.sources]
        base = CompanyInfo if natives[0] is by_name[Businesses.name] else UnifiedStream
        roots = [Systems] if base is CompanyInfo else list(map(_root, natives))
        columns = [
            column
            for column in mapping.columns.values()
            if remote_data or column.name != REMOTE_DATA
        ]
        attributes: dict[str, Any] = {
            "__doc__": mapping.description,
            "name": mapping.stream,
            "mapping": mapping,
            "natives": dict(zip([root.name for root in roots], natives, strict=True)),
            "source": by_name[roots[0].name],
            "roots": tuple(by_name[root.name] for root in roots),
            "columns": columns,
        }
        stream: type[UnifiedStream] = type(mapping.stream, (base,), attributes)
        if mapping.version != VERSION:
            stream.check()
        classes.append(stream)
    return classes


def _root(native: type[RecordStream]) -> type[FreshBooksStream]:
    """The stream whose pages have the records of a native one."""
    root = native.source if issubclass(native, DerivedStream) else native
    assert issubclass(root, FreshBooksStream)  # noqa: S101 - tests load all mappings
    return root


class UnifiedStream(DerivedStream):
    """A stream whose columns a mapping file says."""

    mapping: ClassVar[EntityMapping]
    columns: ClassVar[Sequence[Column]]

    natives: ClassVar[dict[str, type[RecordStream]]]
    """The native stream of each root, by the root's name."""

    roots: ClassVar[tuple[type[FreshBooksStream], ...]]
    """The streams whose pages are read; `source` is the first."""

    selected_by_default = False
    key = ("company_id", "id")

    def __init_subclass__(cls) -> None:
        """Take over what all roots together demand."""
        super().__init_subclass__()
        if "roots" not in vars(cls):
            return
        # A version of the table would have to wait for all of its sources.
        assert len(cls.roots) == 1 or not any(issubclass(each, Vanishing) for each in cls.roots)  # noqa: S101
        if any(root.replication is not Replication.WHOLE for root in cls.roots):
            cls.replication = Replication.FILTERED
        scopes = [word for root in cls.roots for word in root.oauth_scope.split()]
        cls.oauth_scope = " ".join(dict.fromkeys(scopes))

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.readings_missed = Missed(self.logger)
        self._mappers: dict[tuple[str, bool], Mapper] = {}
        self._companies: dict[Any, str] = {}
        self._is_announced = False

    @classmethod
    @override
    def record_keys(cls) -> tuple[str, ...]:
        return cls.key

    @classmethod
    @override
    def record_schema(cls) -> dict[str, Any]:
        return {
            "type": "object",
            "description": f"{cls.mapping.description}.",
            "properties": {column.name: _schema(column) for column in cls.columns},
        }

    @classmethod
    def check(cls) -> None:
        """Compile the mapping.

        Raises:
            SettingsError: If it makes no sense.
        """
        for native in cls.natives.values():
            Mapper(cls, native, Missed(None), {})

    @override
    def state_of(self, source: RecordStream, context: Context | None) -> dict[str, Any]:
        if len(self.roots) == 1:
            return super().state_of(source, context)
        # The bookmark of one source says nothing about the others.
        if context is not None:
            return self.get_context_state({**context, "source": source.name})
        parts: dict[str, Any] = self.stream_state.setdefault("sources", {})
        state: dict[str, Any] = parts.setdefault(source.name, {})
        return state

    @override
    def announce(self) -> None:
        if not self._is_announced:
            self._is_announced = True
            super().announce()

    @override
    def derive(self, record: Row, source: FreshBooksStream) -> Iterator[Row]:
        native = self.natives[source.name]
        mapper = self._mapper(source.name, native)
        if issubclass(native, Lines):
            for line in native.lines_of(record):
                if mapper.takes(line):
                    yield mapper.row({**line, DOCUMENT: record})
        elif mapper.takes(record):
            yield mapper.row(record)

    @override
    def feed_gone(self, record: Row, source: FreshBooksStream) -> None:
        native = self.natives[source.name]
        if not issubclass(native, Lines):
            self._write_record_message(self._mapper(source.name, native, gone=True).row(record))

    @override
    def conclude(self) -> None:
        self.readings_missed.report()

    def _mapper(self, source: str, native: type[RecordStream], *, gone: bool = False) -> Mapper:
        if (source, gone) not in self._mappers:
            listener = Missed(None) if gone else self.readings_missed
            given: dict[str, Callable[[Row], Any]] = {"company": self.company}
            self._mappers[source, gone] = Mapper(type(self), native, listener, given)
        return self._mappers[source, gone]

    def company(self, record: Row) -> str:
        """The `company_id` of a native record."""
        scope = self.source.scope
        identifier = record[scope.value]
        if identifier not in self._companies:
            businesses = self.connection.businesses_with(scope)
            business = next(each for each in businesses if each.identifier(scope) == identifier)
            self._companies[identifier] = company_id(business)
        return self._companies[identifier]


def company_id(business: Business) -> str:
    """What unified rows call a business."""
    return f"{Businesses.name}:{business.business_id}"


class CompanyInfo(UnifiedStream):
    """A business, with its accounting system: records of both in one row.

    The businesses are known before anything is read; the systems are read, one for each that has
    an accounting system. A system that may not be read leaves its columns empty.
    """

    @override
    def announce(self) -> None:
        super().announce()
        [native] = self.natives.values()
        businesses = cast("Businesses", native(self._tap))
        self._waiting = {record["business_id"]: record for record in businesses.rows()}

    @override
    def derive(self, record: Row, source: FreshBooksStream) -> Iterator[Row]:
        business = source.business(record[source.scope.value])
        if known := self._waiting.pop(business.business_id, None):
            yield self._row({**known, "system": record})

    @override
    def conclude(self) -> None:
        for record in self._waiting.values():
            self._write_record_message(self._row(record))
        self._waiting = {}
        super().conclude()

    def _row(self, record: Row) -> Row:
        [(source, native)] = self.natives.items()
        return self._mapper(source, native).row(record)

    @override
    def company(self, record: Row) -> str:
        return f"{Businesses.name}:{record['business_id']}"


class Mapper:
    """Makes rows of a unified stream from the records of one native stream.

    Args:
        stream: The unified stream.
        native: The native stream.
        listener: Hears of what cannot be read.
        given: What the tap gives to each record.

    Raises:
        SettingsError: If the mapping makes no sense.
    """

    def __init__(
        self,
        stream: type[UnifiedStream],
        native: type[RecordStream],
        listener: Listener,
        given: dict[str, Callable[[Row], Any]],
    ) -> None:
        mapping, fields = stream.mapping, _fields(native)
        given = {
            "company": lambda _: None,
            "stream": lambda _: native.name,
            "version": lambda _: mapping.version,
            "record": lambda record: {
                name: value for name, value in record.items() if name != DOCUMENT
            },
            **given,
        }
        wanted = {column.name for column in stream.columns}
        self._empty: Row = dict.fromkeys(name for name in mapping.columns if name in wanted)
        self._columns: list[tuple[str, Function]] = []
        try:
            for column in mapping.in_order(native.name):
                if column.name in wanted:
                    place = Place(
                        column.name, column.type, column.required, fields, listener, given
                    )
                    self._columns.append((column.name, _filled(column, native.name, place)))
            self._where = _condition(mapping.where, fields)
        except MappingError as mistake:
            file = mistake.file or ", ".join(mapping.files)
            raise SettingsError(f"unified_mappings, {file}: {mistake}") from None

    def takes(self, record: Row) -> bool:
        """Whether the stream has a row for a record."""
        return self._where is None or bool(self._where(record))

    def row(self, record: Row) -> Row:
        """The row that follows from a record."""
        row = self._empty.copy()  # which has the columns in their order
        for name, function in self._columns:
            row[name] = function(record, row)
        return row


def _filled(column: Column, source: str, place: Place) -> Function:
    """The function that fills a column; what is required is never null."""
    expression = column.expressions.get(source)
    try:
        get = compiled(expression, place) if expression else _nothing
    except ValueError as error:
        raise SettingsError(f"unified_mappings, {column.file}: {column.name}: {error}") from None
    if not column.enum:
        if column.required and column.name not in OURS and column.type == "boolean":
            return lambda record, row: get(record, row) or False
        return get
    words = frozenset(column.enum)
    unknown = "unknown" if "unknown" in words else None
    listener, name = place.listener, column.name

    def of_enum(record: Row, row: Row) -> Any:
        value = get(record, row)
        if value in words:
            return value
        if value is not None:
            listener.missed(name, value)
        return unknown

    return of_enum


def _nothing(_record: Row, _row: Row) -> None:
    return None


def _condition(where: str | None, fields: Object) -> Callable[[Any], Any] | None:
    if where is None:
        return None
    try:
        paths.check(where, fields)
        return paths.getter(where)
    except ValueError as error:
        raise MappingError(f"where: {error}") from None


def _fields(native: type[RecordStream]) -> Object:
    """What paths may name in a record of a native stream."""
    fields = Object(**{DELETED_AT: UtcTime()}) | native.fields
    root = native.source if issubclass(native, DerivedStream) else native
    if issubclass(root, FreshBooksStream):
        fields |= Object(**{root.scope.value: SCOPE_FIELDS[root.scope]})
    if issubclass(native, DerivedStream):
        fields |= Object(**{DOCUMENT: root.fields})
    if native.name == Businesses.name:
        fields |= Object(system=Systems.fields)
    return fields


def _schema(column: Column) -> dict[str, Any]:
    schema = dict(SCHEMAS[column.type])
    kind = schema.pop("type")
    words = f" One of {', '.join(column.enum)}." if column.enum else ""
    return {
        "type": [kind] if column.required else [kind, "null"],
        **schema,
        "description": f"{column.description}{words}",
    }


class Missed:
    """Counts the words that no table has, and tells the log once.

    Args:
        logger: None for silence.
    """

    def __init__(self, logger: logging.Logger | None) -> None:
        self._logger = logger
        self._words: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._unfit: Counter[str] = Counter()

    def missed(self, column: str, value: object) -> None:
        """A word is in no table."""
        word = str(value) if SHOWN_WORD.fullmatch(str(value)) else f"a {type(value).__name__}"
        self._words[column]["null" if value is None else word] += 1

    def unfit(self, column: str, value: object) -> None:  # noqa: ARG002 - it may be private
        """A value does not fit and became null."""
        self._unfit[column] += 1

    def report(self) -> None:
        """Tell what was heard since the last report."""
        if self._logger:
            for column, words in self._words.items():
                shown = ", ".join(f"{word} ({number} x)" for word, number in words.most_common(10))
                self._logger.warning(
                    "The column %s has no word of its own for %s; remote_status may have it, and "
                    "a table of codes in unified_mappings can add it",
                    column,
                    shown,
                )
            for column, number in self._unfit.items():
                self._logger.warning(
                    "The column %s is null in %d rows, as what FreshBooks has there does not fit",
                    column,
                    number,
                )
        self._words.clear()
        self._unfit.clear()
