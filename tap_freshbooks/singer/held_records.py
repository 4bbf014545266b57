"""HeldRecords: records that wait in little memory until it is known whether they are written."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import enc_hook

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 64 * 1024
"""Bytes that are compressed at once."""

_encode = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number", order="sorted").encode
_decode = msgspec.json.Decoder(tuple[str, msgspec.Raw]).decode


def encode_record(table: str, record: dict[str, Any]) -> bytes:
    """A record and the name of its table, as one line: the same for the same, in whatever order."""
    return _encode((table, record))


def decode_record(line: bytes) -> tuple[str, msgspec.Raw]:
    """The name of the table, and the record as JSON."""
    return _decode(line)


class HeldRecords:
    """Lines in their order, compressed."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: bytes) -> int:
        """Add a line; returns how many bytes the lines take up now more than before."""
        self._lines.append(line)
        self._size += len(line)
        if self._size < CHUNK:
            return 0
        self._chunks.append(zlib.compress(b"\n".join(self._lines), level=1))
        self._lines, self._size = [], 0
        return len(self._chunks[-1])

    def take(self) -> Iterator[bytes]:
        """All lines; they are not kept."""
        chunks, lines = self._chunks, self._lines
        self._chunks, self._lines, self._size = [], [], 0
        for chunk in chunks:
            yield from zlib.decompress(chunk).split(b"\n")
        yield from lines
