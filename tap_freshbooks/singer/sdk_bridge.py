"""All that is private in the SDK and that we use or override; nothing else names it.

Each member has a test that says what we rely on (`tests/singer/test_sdk_bridge.py`), so that an
upgrade of `singer-sdk` fails there first, and in words. What has a public twin is not here.
"""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, Tap
from singer_sdk.exceptions import SyncLifecycleSignal
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import _ConfigInput as ConfigInput
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import FrameType

    from singer_sdk.helpers.types import Context
    from singer_sdk.mapper import PluginMapper
    from singer_sdk.singerlib import Catalog, RecordMessage

    from tap_freshbooks.records import Row


__all__ = ["ConfigInput", "SdkStream", "SdkTap", "quiet_logger"]


class _QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger for the SDK, whose level info is debug; its children are loggers as any other."""

    @override
    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def getChild(self, suffix: str) -> logging.Logger:  # noqa: N802 - as that of a logger
        return self.logger.getChild(suffix)


def quiet_logger(name: str) -> logging.Logger:
    """A logger for the SDK, which tells of each stream, child and map with level info."""
    return cast("logging.Logger", _QuietLogger(logging.getLogger(name)))


def _quiet(record: logging.LogRecord) -> bool:
    """Give a record of a module of the SDK level debug, unless its logger was given a handler."""
    logger = logging.getLogger(record.name)
    if record.levelno != logging.INFO or logger.handlers:
        return True
    record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
    return logging.getLogger(logger.name.rpartition(".")[0]).isEnabledFor(logging.DEBUG)


MODULES = ("singer_sdk.metrics", "singer_sdk.mapper")
"""Modules of the SDK that say with level info what each stream has cost, and how it is mapped."""


class SdkStream(Stream, ABC):
    """A stream that delivers its records itself, and keeps its own bookmarks."""

    # What we call

    @property
    def tap(self) -> Tap:
        """The tap that the stream belongs to."""
        return self._tap

    @property
    def version(self) -> int | None:
        """The version of the table that records and ACTIVATE_VERSION carry; None for none."""
        return self._stream_version

    @version.setter
    def version(self, version: int | None) -> None:
        self._stream_version = version

    def take_catalog(self, catalog: Catalog) -> None:
        """Let a catalog say what is selected; `apply_catalog` takes over all that it says."""
        self._tap_input_catalog = catalog

    def write_schema(self) -> None:
        """Write a SCHEMA message for each stream map."""
        self._write_schema_message()

    def write_state(self) -> None:
        """Write a STATE message with the state of the whole tap."""
        self._write_state_message()

    def write_activate_version(self, version: int) -> None:
        """Write an ACTIVATE_VERSION message for each stream map."""
        self._write_activate_version_message(version)

    def finalize_state(self, state: dict[str, Any]) -> None:
        """Remove what the SDK keeps in a state while a sync is under way."""
        self._finalize_state(state)

    # What we answer

    @override
    def log(self, message: str, *args: Any, level: int = logging.DEBUG, **kwargs: Any) -> None:
        """Log what the SDK has to say; with level debug, where it does not say with which.

        That a test of the connection has seen enough of a stream is no error, as the SDK says.
        """
        if isinstance(sys.exc_info()[1], SyncLifecycleSignal):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    @abstractmethod
    def deliver_records(self, partitions: Sequence[Mapping[str, Any] | None]) -> Iterator[Row]:
        """Write the records of partitions, and STATE messages; yields what was written."""

    @abstractmethod
    def write_record(self, record: Row) -> None:
        """Write one record."""

    @abstractmethod
    def record_messages(self, record: Row) -> Iterator[RecordMessage]:
        """The messages that `write_record` would write."""

    @abstractmethod
    def end_sync(self) -> None:
        """Called when the stream was read, however that ended."""

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Row, Any, Any]:
        try:
            # The SDK's own way is taken where its steps are wanted: a limit of records, or BATCH
            # files.
            if not write_messages or self.ABORT_AT_RECORD_COUNT is not None:
                yield from super()._sync_records(context, write_messages=write_messages)
                return
            partitions: list[Any] = [context] if context is not None else self.partitions or []
            yield from self.deliver_records(partitions or [None])
            if not context:
                self.finalize_state(self.stream_state)
            self.write_state()
        finally:
            self.end_sync()

    @override
    def _write_record_message(self, record: Row) -> None:
        self.write_record(record)

    @override
    def _generate_record_messages(self, record: Row) -> Generator[RecordMessage, None, None]:
        yield from self.record_messages(record)

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: the SDK would want to understand the bookmark, whatever a user put there."""

    @override
    def _increment_stream_state(
        self, latest_record: Row, *, context: Context | None = None
    ) -> None:
        """Nothing: no single record moves a bookmark; only a complete read does."""


class SdkTap(Tap, ABC):
    """A tap that reads and checks its settings itself, and handles signals."""

    logger = classproperty(lambda tap: quiet_logger(tap.name))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for module in MODULES:
            logging.getLogger(module).addFilter(_quiet)
        super().__init__(*args, **kwargs)

    # What we call

    @property
    def given_settings(self) -> Mapping[str, Any]:
        """The settings, as the very object that the tap was made with."""
        return self._config

    # What we answer

    @classmethod
    @abstractmethod
    def environment_settings(cls) -> dict[str, Any]:
        """The settings that environment variables name."""

    @abstractmethod
    def complete_settings(self, settings: dict[str, Any]) -> None:
        """Add defaults to the settings, in place; raises what is wrong with them."""

    @abstractmethod
    def on_signal(self, signum: int) -> None:
        """A signal has arrived that ends the run."""

    @abstractmethod
    def make_mapper(self) -> PluginMapper:
        """What maps the records of the streams."""

    @override
    def setup_mapper(self) -> None:
        self._mapper = self.make_mapper()

    _env_var_config = classproperty(lambda tap: tap.environment_settings())

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # Discovery does without errors, but its catalog is made of settings, too.
        self.complete_settings(self._config)
        return []

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.on_signal(signum)
