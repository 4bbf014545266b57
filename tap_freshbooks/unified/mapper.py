"""Makes rows of a unified stream from native records, by its mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.records import DELETED_AT
from tap_freshbooks.schema.fields import Object, UtcTime
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_resource import IDENTIFIER_FIELDS, ListResource
from tap_freshbooks.streams.resources.account import Systems
from tap_freshbooks.streams.resources.identity import Businesses
from tap_freshbooks.unified import record_paths
from tap_freshbooks.unified.compile_context import CompileContext
from tap_freshbooks.unified.expression_compiler import compiled, direct
from tap_freshbooks.unified.expression_syntax import columns_used
from tap_freshbooks.unified.mapping_files import MappingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_freshbooks.records import Row
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.unified.compile_context import Function, MappingListener
    from tap_freshbooks.unified.mapping import Column, EntityMapping

DOCUMENT = "document"
"""The name by which paths of a line reach its document."""

COMPANY_ID = "company_id"
"""The one column that every row needs and no file can change."""


class Mapper:
    """Makes rows of a unified stream from the records of one native stream.

    Args:
        mapping: Of the unified stream.
        columns: Those that are wanted.
        native: The native stream.
        listener: Is notified of values that a column cannot take over.
        company: Gives the `company_id` of a record.

    Raises:
        SettingsError: If the mapping makes no sense.
    """

    def __init__(
        self,
        mapping: EntityMapping,
        columns: Sequence[Column],
        native: type[RecordStream],
        listener: MappingListener,
        company: Callable[[Row], str],
    ) -> None:
        self._native = native
        self._constants = {"stream": native.name, "version": mapping.version}
        self._builtins = {"company": company, "record": _without_document}
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
        except MappingError as error:
            file = error.file or ", ".join(mapping.files)
            raise SettingsError(f"unified_mappings, {file}: {error}") from None

    def _add(self, column: Column) -> None:
        """Choose how a column is filled: a native value that needs no conversion costs no call."""
        name, expression = column.name, column.expressions.get(self._native.name)
        if not expression:
            if column.required:
                reason = f"it is required, and nothing fills it from {self._native.name}"
                raise MappingError(f"{name}: {reason}", column.file)
            return
        if (builtin := expression.get("builtin")) in self._constants:
            self._fixed[name] = self._constants[str(builtin)]
            return
        if name == COMPANY_ID:
            return
        if absent := columns_used(expression) - self._fixed.keys():
            reason = f"the column {', '.join(absent)} is only there with unified_remote_data"
            raise MappingError(f"{name}: {reason}", column.file)
        context = CompileContext(
            name, column.type, column.required, self._fields, self._listener, self._builtins
        )
        try:
            names = () if column.required or column.enum else direct(expression, context)
            get = compiled(expression, context)
        except ValueError as error:
            raise MappingError(f"{name}: {error}", column.file) from None
        if expression.keys() == {"const"}:
            self._fixed[name] = _constant(column, get)
        elif len(names) == 1:
            (self._texts if column.type == "string" else self._values).append((name, names[0]))
        elif len(names) == 2 and column.type in {"string", "decimal"}:  # noqa: PLR2004
            self._parts.append((name, names[0], names[1]))
        else:
            self._others.append((name, _allowed_values(column, get, self._listener)))

    def accepts(self, record: Row) -> bool:
        """True if the stream has a row for a record."""
        try:
            return self._where is None or bool(self._where(record))
        except record_paths.UnreadableError as error:  # a function that does not take null, say
            self._listener.on_invalid("where", error)
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


def _allowed_values(column: Column, get: Function, listener: MappingListener) -> Function:
    """The function, with no null in a required boolean, and with the values of the enum only."""
    if not column.enum:
        if column.required and column.type == "boolean":
            return lambda record, row: get(record, row) or False
        return get
    allowed = frozenset(column.enum)
    unknown = "unknown" if "unknown" in allowed else None
    name = column.name

    def of_enum(record: Row, row: Row) -> Any:
        value = get(record, row)
        if value in allowed:
            return value
        if value is not None:
            listener.on_unmapped(name, value)
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
    """The fields that paths may name in a record of a native stream."""
    fields = Object(**{DELETED_AT: UtcTime()}) | native.fields
    root = native.source if issubclass(native, DerivedStream) else native
    if issubclass(root, ListResource):
        fields |= Object(**{root.identifier_kind.value: IDENTIFIER_FIELDS[root.identifier_kind]})
    if issubclass(native, DerivedStream):
        fields |= Object(**{DOCUMENT: root.fields})
    if native.name == Businesses.name:
        fields |= Object(system=Systems.fields)
    return fields
