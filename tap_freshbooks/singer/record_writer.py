"""Writes the records of one stream: what the catalog and the stream maps leave of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from msgspec import Raw
from singer_sdk.contrib.msgspec import decoder
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage

from tap_freshbooks.errors import FreshBooksError, StreamMapError
from tap_freshbooks.records import DELETED_AT, DELETED_FLAG, Tombstone
from tap_freshbooks.singer.held_records import decode_record, encode_record
from tap_freshbooks.singer.message_writer import BufferedMessageWriter
from tap_freshbooks.singer.record_filter import compile_record_filter
from tap_freshbooks.singer.stream_maps import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.mapper import StreamMap

    from tap_freshbooks.records import Row
    from tap_freshbooks.singer.catalogued_stream import CataloguedStream


def compile_preparation(stream: CataloguedStream) -> Callable[[Row], Row]:
    """Compile a function that returns what the catalog leaves of a record.

    It raises a `FreshBooksError` for one that cannot be told from others: targets refuse such a
    row, some of them with all others.
    """
    keys = tuple(stream.primary_keys or ())
    select = compile_record_filter(stream)

    def prepare(record: Row) -> Row:
        for name in keys:
            value = record.get(name)
            if value is None or value == "":
                raise FreshBooksError(
                    f"{stream.name}: a row has nothing in {name}, by which it is told from others, "
                    "or something that does not fit; please report this"
                )
        return select(record)

    return prepare


def _says_gone(record: Row, mark: str | None) -> bool:
    """Whether it says so: by the mark, under whatever name, or by the flag of unified streams."""
    is_marked = mark is not None and mark in record.values()
    return is_marked or record.get(DELETED_FLAG) is True


class RecordWriter:
    """Writes records under each name that the stream maps give the stream.

    Args:
        stream: Whose records they are.
    """

    def __init__(self, stream: CataloguedStream) -> None:
        self._stream = stream
        self._prepare = compile_preparation(stream)
        self._outlets: list[tuple[str, Callable[[Row], Row | None] | None]] = [
            (
                stream_map.stream_alias,
                None
                if type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
                else self._keyed(stream_map),
            )
            for stream_map in stream.stream_maps
        ]
        """Names, and what the stream map makes of a record first."""
        writer = stream.tap.message_writer
        self._write: Callable[[str, Any, int | None], None] = (
            writer.write_record if isinstance(writer, BufferedMessageWriter) else self._write_object
        )
        self._has_told = False
        """Whether the log names what keeps tombstones from being written."""

    def write(self, record: Row, take: Callable[[bytes], bool] | None = None) -> bool:
        """Write a record, which is not changed; whether any stream map has left something of it.

        Args:
            record: The record.
            take: Gets what would be written, by `encode_record`; if it says True, it is not.

        Raises:
            FreshBooksError: If it cannot be told from others.
            StreamMapError: If a stream map does not fit it.
            SettingsError: If a stream map fits no record.
        """
        is_written = False
        is_gone = isinstance(record, Tombstone)
        for alias, mapped in self._mapped_tombstone(record) if is_gone else self._mapped(record):
            is_written = True
            if take is None:
                self._write(alias, mapped, self._stream.version)
            elif not take(line := encode_record(alias, mapped)):
                self.write_encoded(line)
        self._stream.state_manager.is_flushed = False
        return is_written

    def write_encoded(self, line: bytes) -> None:
        """Write what `take` has got, as a record of the version that the table has now."""
        alias, record = decode_record(line)
        self._write(alias, record, self._stream.version)

    def messages(self, record: Row) -> Iterator[RecordMessage]:
        """The messages that `write` would write."""
        is_gone = isinstance(record, Tombstone)
        for alias, mapped in self._mapped_tombstone(record) if is_gone else self._mapped(record):
            yield RecordMessage(alias, mapped, self._stream.version, datetime.now(UTC))

    def _mapped(self, record: Row) -> Iterator[tuple[str, Row]]:
        record = self._prepare(record)
        for alias, transform in self._outlets:
            mapped = transform(record) if transform else record
            if mapped is not None:
                yield alias, mapped

    def _mapped_tombstone(self, record: Row) -> Iterator[tuple[str, Row]]:
        """What is left of a tombstone under each name, if that still says which row is gone.

        Otherwise a target would take it for a row that has become empty.
        """
        prepared = Tombstone(self._prepare(record))
        for stream_map in self._stream.stream_maps:
            mapped = self._map(stream_map.transform, prepared)
            if mapped is None:
                continue
            keys = [mapped.get(name) for name in stream_map.transformed_key_properties or ()]
            if _says_gone(mapped, record.get(DELETED_AT)) and not {None, ""}.intersection(keys):
                yield stream_map.stream_alias, dict(mapped)
            elif not self._has_told:
                self._has_told = True
                self._stream.logger.warning(
                    "%s: rows that are gone stay in the target, as the catalog or stream_maps "
                    "leave %s out, or make a key of what a row that is gone no longer has",
                    self._stream.name,
                    DELETED_FLAG if DELETED_FLAG in record else DELETED_AT,
                )

    def _keyed(self, stream_map: StreamMap) -> Callable[[Row], Row | None]:
        """What maps a record, and fails where nothing is left of a key: targets refuse that."""
        keys = tuple(stream_map.transformed_key_properties or ())

        def transform(record: Row) -> Row | None:
            mapped = self._map(stream_map.transform, record)
            for name in keys:
                if mapped is not None and mapped.get(name) in {None, ""}:
                    raise StreamMapError(
                        f"stream_maps of {self._stream.name}: nothing is left in {name} of some "
                        "rows, by which they are told from others; `__key_properties__` sets "
                        "other keys"
                    )
            return mapped

        return transform

    def _map(self, transform: Callable[[Row], Row | None], record: Row) -> Row | None:
        try:
            return transform(record)
        except Exception as error:  # noqa: BLE001 - users write the expressions
            raise failure(self._stream.name, error) from None

    def _write_object(self, stream: str, record: Row | Raw, version: int | None) -> None:
        if isinstance(record, Raw):
            record = cast("Row", decoder.decode(record))
        self._stream.tap.write_message(RecordMessage(stream, record, version, datetime.now(UTC)))
