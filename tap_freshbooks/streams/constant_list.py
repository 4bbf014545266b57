"""Streams of lists that are the same for everybody: they have no partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_freshbooks.errors import NotFoundError, PermissionDeniedError
from tap_freshbooks.extraction.envelope import read_rows
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.extraction.prefetch import Submit
    from tap_freshbooks.records import Row
    from tap_freshbooks.singer.stats import StreamStats
    from tap_freshbooks.transport.client import FreshBooksClient


class ConstantList(RecordStream):
    """A list that FreshBooks keeps for everybody; its path has no identifier."""

    path: ClassVar[str]
    oauth_scope = "user:profile:read"

    @override
    def readers(self) -> Iterator[ConstantListReader]:
        stats = self.run.stats.for_stream(self.name)
        yield ConstantListReader(self.name, self.path, self.connection.client, stats)

    @override
    def read(self, partition: Context | None) -> Iterable[Row]:
        for reader in self.readers():
            _, batches = self.run.open_partition(reader)
            try:
                for rows in batches:
                    yield from map(self.convert, rows)
            except (PermissionDeniedError, NotFoundError) as error:
                self.refuse(error, None)
                self.run.changes.mark_refused(self, None)
            else:
                self.run.outcome.note_read(self.name)


@dataclass(frozen=True, slots=True)
class ConstantListReader:
    """Reads the one list of a stream, which has no partitions."""

    name: str
    path: str
    client: FreshBooksClient
    stats: StreamStats

    @property
    def partition_key(self) -> str:
        """Identifies it among the partitions of a sync."""
        return self.name

    def begin(self, submit: Submit, window: int) -> Iterator[Sequence[Row]]:  # noqa: ARG002
        """Ask for the list."""

        def get() -> Sequence[Row]:
            answer = self.client.get(self.path, subject=self.name, stats=self.stats)
            rows, _ = read_rows(answer.body, ("data",), self.name)
            self.stats.count(pages=1, total=len(rows))
            return rows

        yield submit(get).result()
