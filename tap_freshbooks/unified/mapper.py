"""Makes rows of a unified stream from native records, as its mapping says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.schema.fields import Object, UtcTime
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_resource import IDENTIFIER_FIELDS, ListResource
from tap_freshbooks.streams.resources.account import Systems
from tap_freshbooks.streams.resources.identity import Businesses
from tap_freshbooks.unified import record_paths
from tap_freshbooks.unified.expression_compiler import Place, compiled, direct
from tap_freshbooks.unified.expression_syntax import needs
from tap_freshbooks.unified.mapping_files import MappingError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.unified.expression_compiler import Function, Listener
    from tap_freshbooks.unified.mapping import Column, EntityMapping

DOCUMENT = "document"
"""What paths call the document of a line."""

COMPANY_ID = "company_id"
"""The one column that no file has a say in, and every row needs."""

SHOWN_WORD = re.compile(r"[\w .,/&+-]{1,40}")


class Mapper:
    """Makes rows of a unified stream from the records of one native stream.

    Args:
        mapping: Of the unified stream.
        columns: Those that are wanted.
        native: The native stream.
        listener: Hears of what cannot be read.
        company: Gives the `company_id` of a record.

    Raises:
        SettingsError: If the mapping makes no sense.
    """

    def __init__(
        self,
        mapping: EntityMapping,
        columns: Sequence[Column],
        native: type[RecordStream],
        listener: Listener,
        company: Callable[[Row], str],
    ) -> None:
        self._native = native
        self._constants = {"stream": native.name, "version": mapping.version}
        self._given = {"company": company, "record": _without_document}
        self._fields = _fields(native)
        self._listener = listener
        self._fixed: Row = dict.fromkeys(column.name for column in columns)
        self._texts: list[tuple[str, str]] = []
        self._values: list[tuple[str, str]] = []
        self._parts: list[tuple[str, str, str]] = []
        self._others: list[tuple[str, Function]] = []
        self._company = company
        try:
            for column in mapping.in_order(native.name):
                if column.name in self._fixed:
                    self._add(column)
            self._where = _condition(mapping.where, self._fields)
        except MappingError as mistake:
            file = mistake.file or ", ".join(mapping.files)
            raise SettingsError(f"unified_mappings, {file}: {mistake}") from None

    def _add(self, column: Column) -> None:
        """Sort a column in: what can be taken as it is costs no call."""
        name, expression = column.name, column.expressions.get(self._native.name)
        if not expression:
            if column.required:
                reason = f"it is required, and nothing fills it from {self._native.name}"
                raise MappingError(f"{name}: {reason}", column.file)
            return
        if (given := expression.get("given")) in self._constants:
            self._fixed[name] = self._constants[str(given)]
            return
        if name == COMPANY_ID:
            return
        if absent := needs(expression) - self._fixed.keys():
            reason = f"the column {', '.join(absent)} is only there with unified_remote_data"
            raise MappingError(f"{name}: {reason}", column.file)
        place = Place(name, column.type, column.required, self._fields, self._listener, self._given)
        try:
            names = () if column.required or column.enum else direct(expression, place)
            get = compiled(expression, place)
        except ValueError as error:
            raise MappingError(f"{name}: {error}", column.file) from None
        if expression.keys() == {"const"}:
            self._fixed[name] = _constant(column, get)
        elif len(names) == 1:
            (self._texts if column.type == "string" else self._values).append((name, names[0]))
        elif len(names) == 2 and column.type in {"string", "decimal"}:  # noqa: PLR2004
            self._parts.append((name, names[0], names[1]))
        else:
            self._others.append((name, _never_null(column, get, self._listener)))

    def takes(self, record: Row) -> bool:
        """Whether the stream has a row for a record."""
        try:
            return self._where is None or bool(self._where(record))
        except record_paths.UnreadableError as error:  # a function that does not take null, say
            self._listener.unfit("where", error)
            return False

    def row(self, record: Row) -> Row:
        """The row that follows from a record."""
        row = self._fixed.copy()  # which has the columns in their order
        row[COMPANY_ID] = self._company(record)
        for name, field in self._texts:
            row[name] = record.get(field) or None
        for name, field in self._values:
            row[name] = record.get(field)
        for name, outer, inner in self._parts:
            part = record.get(outer)
            row[name] = part.get(inner) or None if part else None
        for name, function in self._others:
            row[name] = function(record, row)
        return row


def _constant(column: Column, get: Function) -> Any:
    value = get({}, {})
    if value is None or (column.enum and value not in column.enum):
        words = f", or none of {', '.join(column.enum)}" if column.enum else ""
        raise MappingError(f"{column.name}: its const is no {column.type}{words}", column.file)
    return value


def _without_document(record: Row) -> Row:
    return {name: value for name, value in record.items() if name != DOCUMENT}


def _never_null(column: Column, get: Function, listener: Listener) -> Function:
    """Give a column that is required, or has an enum, no other value than it may have."""
    if not column.enum:
        if column.required and column.type == "boolean":
            return lambda record, row: get(record, row) or False
        return get
    words = frozenset(column.enum)
    unknown = "unknown" if "unknown" in words else None
    name = column.name

    def of_enum(record: Row, row: Row) -> Any:
        value = get(record, row)
        if value in words:
            return value
        if value is not None:
            listener.missed(name, value)
        return unknown

    return of_enum


def _condition(where: str | None, fields: Object) -> Callable[[Any], Any] | None:
    if where is None:
        return None
    try:
        record_paths.check(where, fields)
        return record_paths.getter(where)
    except ValueError as error:
        raise MappingError(f"where: {error}") from None


def _fields(native: type[RecordStream]) -> Object:
    """What paths may name in a record of a native stream."""
    fields = Object(**{DELETED_AT: UtcTime()}) | native.fields
    root = native.source if issubclass(native, DerivedStream) else native
    if issubclass(root, ListResource):
        fields |= Object(**{root.identifier_kind.value: IDENTIFIER_FIELDS[root.identifier_kind]})
    if issubclass(native, DerivedStream):
        fields |= Object(**{DOCUMENT: root.fields})
    if native.name == Businesses.name:
        fields |= Object(system=Systems.fields)
    return fields


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
