"""What every stream has: a schema and a conversion from its fields, and a place in the state."""

from __future__ import annotations

from abc import ABC
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_freshbooks.times import utc_text

if TYPE_CHECKING:
    import logging

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.fields import Object

DELETED_AT = "_sdc_deleted_at"

CLOCK_SKEW = timedelta(hours=1)
"""How far the server's clock may be ahead of ours."""

Row = dict[str, Any]


class Replication(StrEnum):
    """How a stream finds out what changed; the value is the sentence of the catalog."""

    FILTERED = "Incremental: FreshBooks lists what changed"
    COMPARED = "Incremental: every row is read, those that changed are delivered"
    WHOLE = "Full table: nothing tells what changed"
    PERIODS = "By period: closed periods are read once, the last ones again each time"


class RecordStream(Stream, ABC):
    """A stream whose schema and conversion come from its declared fields."""

    name: str

    fields: ClassVar[Object]
    """What a record has."""

    key: ClassVar[tuple[str, ...]] = ("id",)
    """Primary key, within one business if there is a scope."""

    oauth_scope: ClassVar[str]
    """What the token must be allowed; several scopes are separated by blanks."""

    webhook_noun: ClassVar[str | None] = None
    """What webhook events call the resource, if there are any (`webhooks.md §6`)."""

    replication: ClassVar[Replication] = Replication.WHOLE
    """How the stream finds out what changed."""

    stamp: ClassVar[str | None] = None
    """The field with the moment of the last change."""

    def __init__(self, tap: Tap, connection: Connection) -> None:
        super().__init__(tap, schema=self.record_schema())
        self.connection = connection
        self.primary_keys = self.record_keys()
        self.problems = LoggedProblems(self.logger)
        self.convert = self.fields.converter("", self.problems)
        if self.replication is not Replication.WHOLE:
            self.replication_key = self.stamp
            self.forced_replication_method = REPLICATION_INCREMENTAL

    @classmethod
    def record_keys(cls) -> tuple[str, ...]:
        """Names of the primary key's fields."""
        return cls.key

    @classmethod
    def record_properties(cls) -> dict[str, Any]:
        """JSON schema of each field."""
        properties: dict[str, Any] = cls.fields.schema()["properties"]
        return properties

    @classmethod
    def record_schema(cls) -> dict[str, Any]:
        """JSON schema of a record; only the keys are never null."""
        properties = cls.record_properties()
        for name in cls.record_keys():
            kinds = [kind for kind in properties[name]["type"] if kind != "null"]
            properties[name] = {**properties[name], "type": kinds}
        summary = (cls.__doc__ or "").partition("\n")[0]
        return {
            "type": "object",
            "description": f"{summary} {cls.replication}.",
            "properties": properties,
        }

    # The place in the state

    def bookmark(self, context: Context) -> datetime | None:
        """When the last complete read of a partition began.

        None if there was none, or if the last full one is older than `full_refresh_interval`:
        some values change without a stamp, and a filter may fail in silence.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return None
        state = self.get_context_state(context)
        bookmark, full = (
            parse_moment(state.get(name)) for name in ("replication_key_value", "full_read_at")
        )
        if bookmark and bookmark > datetime.now(UTC) + CLOCK_SKEW:
            self.logger.warning(
                "The bookmark %s lies in the future; everything is read", utc_text(bookmark)
            )
            return None
        interval = self.config.get("full_refresh_interval")
        if interval is not None and (
            full is None or datetime.now(UTC) - full >= timedelta(days=interval)
        ):
            return None
        return bookmark

    def remember(self, context: Context, read_at: datetime, *, full: bool) -> None:
        """Move the bookmark, once every row of a partition was delivered.

        Args:
            context: The partition.
            read_at: When the read began, by the server's clock.
            full: Whether it was a read of everything.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return
        state = self.get_context_state(context)
        if self.replication_key:
            state["replication_key"] = self.replication_key
        state["replication_key_value"] = utc_text(read_at)
        if full:
            state["full_read_at"] = utc_text(read_at)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark is the moment at which a read began, not a value of its rows."""

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: the SDK would want to understand the bookmark, whatever a user put there."""

    @override
    def _increment_stream_state(
        self, latest_record: Row, *, context: Context | None = None
    ) -> None:
        """No single record moves a bookmark; only a complete read does."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send them before the records, so that the table stood empty."""
        return False


def parse_moment(text: Any) -> datetime | None:
    """An aware moment of a record, the state or the settings; None if there is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


class LoggedProblems:
    """Tells the log what a conversion could not keep: each field once, never a value."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._unknown: set[str] = set()
        self._unfit: set[str] = set()
        self._reported: set[str] = set()

    def unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""
        self._unknown.add(path)

    def unfit(self, path: str, value: object) -> None:
        """A value of an unexpected kind became null."""
        if path not in self._unfit:
            self._unfit.add(path)
            self._logger.warning(
                "The field %s held a %s that does not fit; it is delivered as null",
                path,
                type(value).__name__,
            )

    def report(self) -> None:
        """Name the fields that were dropped since the last report."""
        if fresh := sorted(self._unknown - self._reported):
            self._logger.warning(
                "Fields unknown to this version were dropped: %s; please report them",
                ", ".join(fresh),
            )
            self._reported.update(fresh)
