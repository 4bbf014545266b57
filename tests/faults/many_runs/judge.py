"""Compares a target with what a first run brings, and knows what may be late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import named
from tap_freshbooks.streams.replication import Replication
from tests.faults.many_runs.drawing import sources, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from freshbooks_sandbox.behaviours import Behaviours
    from tests.faults.target import Key, Target
    from tests.support import Record

DELETED = "_sdc_deleted_at"

MOVED = ("updated", "updated_at", "document_updated")
MOVED_UNIFIED = ("remote_updated_at", "parent_remote_updated_at")
"""Fields that show when a row changed."""

EAGER: dict[str, set[str]] = {
    "invoices": {"v3_status", "display_status", "status"},
    "clients": {"outstanding_balance", "overdue_balance", "draft_balance", "grand_total_balance"},
}
"""Fields that move without a timestamp and are looked for in each run (README.md)."""

SILENT_RETURN = {"other_incomes"}
"""Streams whose rows come back without a timestamp that moves (docs/freshbooks-api)."""

LINES = ("_lines", "client_contacts")
"""Ends of names of streams whose rows outlive their removal from a document (README.md)."""


@dataclass(frozen=True)
class Difference:
    """A row that is not what it should be."""

    stream: str
    key: Key
    what: str

    def __str__(self) -> str:
        return f"{self.stream} {self.key}: {self.what}"


@dataclass(frozen=True)
class Lateness:
    """What a run need not have found yet.

    Attributes:
        state: From which it began.
        now: When it began.
        changed_at: When settings changed that say what a record looks like, epoch seconds.
        interval: Days after which an incremental stream is read whole.
        vanished: Whether rows that vanish without a trace may stay.
        is_over: Whether nothing may be late any more.
        told: Streams, scopes and ids of rows that webhooks have told of, where all others may be
            late; None where lists are read.
    """

    state: dict[str, Any]
    now: datetime
    changed_at: float
    interval: float
    vanished: bool
    is_over: bool = False
    told: frozenset[tuple[str, str, Any]] | None = None

    def must_show(self, stream: str, key: Key) -> bool:
        """Whether the run has to find what became of a row."""
        if self.told is None:
            return True
        return len(key) == 2 and (stream, str(key[0]), key[1]) in self.told

    def deletions_wait(self) -> bool:
        """Whether lists of deleted rows need not have been read; of them no living row depends."""
        return not self.is_over and self.interval > 0

    def was_read_whole(self, stream: str) -> bool:
        """Whether the run has to read a stream whole."""
        if streams()[stream].replication is Replication.FULL_TABLE or self.is_over:
            return True
        read_at = self._read_whole_at(stream)
        return read_at is None or self.now - read_at >= timedelta(days=self.interval)

    def has_changed(self, stream: str) -> bool:
        """Whether settings have changed since a stream was read whole."""
        read_at = self._read_whole_at(stream)
        return read_at is not None and read_at.timestamp() <= self.changed_at

    def _read_whole_at(self, stream: str) -> datetime | None:
        found = list(_moments(self.state.get("bookmarks", {}).get(stream, {})))
        return max(found, default=None)


def _moments(state: Any) -> Iterator[datetime]:
    if isinstance(state, dict):
        if "full_read_at" in state:
            yield datetime.fromisoformat(state["full_read_at"])
        for each in state.values():
            yield from _moments(each)
    elif isinstance(state, list):
        for each in state:
            yield from _moments(each)


class Judge:
    """Compares.

    Args:
        behaviours: Of the sandbox.
        target: After a run.
        fresh: What it should be like.
        wide: Gives a target with all rows, deleted and old ones included.
    """

    def __init__(
        self, behaviours: Behaviours, target: Target, fresh: Target, wide: Callable[[], Target]
    ) -> None:
        self._behaviours = behaviours
        self._target = target
        self._fresh = fresh
        self._wide = wide

    def differences(self, names: Iterable[str], lateness: Lateness) -> Iterator[Difference]:
        """All rows that are not what they should be."""
        for name in names:
            there, here = self._fresh.table(name), self._target.table(name)
            for key in sorted(there.keys() | here.keys(), key=str):
                if not lateness.must_show(name, key):
                    continue
                found, wanted = here.get(key), there.get(key)
                what = self._judge(name, key, found, wanted, lateness)
                if what:
                    yield Difference(name, key, what)

    def _judge(
        self, name: str, key: Key, found: Record | None, wanted: Record | None, late: Lateness
    ) -> str:
        if wanted is None:
            return self._extra(name, key, found or {}, late)
        if found is None:
            return (
                "" if _is_deleted(wanted) and late.deletions_wait() else f"missing {_short(wanted)}"
            )
        fields = {field for field in wanted if _value(found, field) != _value(wanted, field)}
        if not fields or self._may_be_old(name, found, wanted, fields, late):
            return ""
        shown = {field: (found.get(field), wanted[field]) for field in sorted(fields)}
        return f"stale {shown} of {_short(wanted)}"

    def _may_be_old(
        self, name: str, found: Record, wanted: Record, fields: set[str], late: Lateness
    ) -> bool:
        if _is_deleted(wanted) and _is_deleted(found) and late.deletions_wait():
            return True
        if late.was_read_whole(name):
            return False
        if late.has_changed(name):
            return True
        if name in SILENT_RETURN and _is_deleted(found):
            return True
        moved = MOVED_UNIFIED if name.startswith("unified_") else MOVED
        stamps = [field for field in moved if field in wanted]
        return (
            bool(stamps)
            and not fields & set(stamps)
            and not fields & EAGER.get(name, set())
            and DELETED not in fields
        )

    def _extra(self, name: str, key: Key, found: Record, late: Lateness) -> str:
        if _is_deleted(found) or name.endswith(LINES):
            return ""
        stream = streams()[name]
        if stream.hard_deletes and late.vanished:
            return ""
        resources = sources(name)
        behaviours = self._behaviours
        for resource in resources:
            if named(behaviours.deleted_filter_ignored, resource):
                return ""
            if resource == "projects" and behaviours.deleted_projects == "ignored":
                return ""
            if resource == "time_entries" and behaviours.deleted_time == "ignored":
                return ""
            if named(behaviours.totals, resource) and not self._fresh.table(name):
                return ""
        known = self._wide().table(name).get(key)
        return "" if known is not None else f"not there any more {_short(found)}"


def _value(record: Record, field: str) -> Any:
    return record.get(field) is not None if field == DELETED else record.get(field)


def _is_deleted(record: Record) -> bool:
    return record.get(DELETED) is not None or bool(record.get("remote_deleted"))


def _short(record: Record) -> str:
    return str({name: value for name, value in record.items() if value})[:160]
