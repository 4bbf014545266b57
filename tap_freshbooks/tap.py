"""TapFreshBooks: settings and the list of streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import click
import msgspec
from singer_sdk.singerlib import Catalog, StateMessage
from typing_extensions import override

from tap_freshbooks import signals
from tap_freshbooks.config.schema import settings_schema
from tap_freshbooks.config.settings import FROM_ENVIRONMENT, Settings
from tap_freshbooks.config.singer_files import read_catalog, read_state, singer_catalog
from tap_freshbooks.config.unknown_names import warn_of_settings
from tap_freshbooks.config.validation import validate
from tap_freshbooks.config.variables import read_environment
from tap_freshbooks.custom_streams import definitions
from tap_freshbooks.custom_streams.setting import CUSTOM_STREAMS
from tap_freshbooks.errors import RunInterruptedError, SettingsError
from tap_freshbooks.input_files import InputFile
from tap_freshbooks.log_handlers import check_configuration, configuration_error
from tap_freshbooks.oauth.stores.serialization import KEYS as TOKEN_KEYS
from tap_freshbooks.printable import sanitize_logs
from tap_freshbooks.singer import foreign_names
from tap_freshbooks.singer.batches import files_of
from tap_freshbooks.singer.message_writer import BufferedMessageWriter
from tap_freshbooks.singer.sdk_bridge import ConfigInput, SdkTap
from tap_freshbooks.singer.stream_maps import mapper_for
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    from singer_sdk.mapper import PluginMapper

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.run_state import RunState
    from tap_freshbooks.sync import SyncRun


UNIFIED = "unified_"
"""How the names of the streams of the unified model begin."""


class TapFreshBooks(SdkTap):
    """Everything out of FreshBooks, completely, without losing the connection."""

    name = "tap-freshbooks"
    package_name = "tap-freshbooks"
    message_writer_class = BufferedMessageWriter

    config_jsonschema: ClassVar[dict[str, Any]] = settings_schema(CUSTOM_STREAMS)

    def __init__(self, *args: Any, is_sync: bool = False, **kwargs: Any) -> None:
        self._is_sync = is_sync  # what is not selected then is not asked for, either
        sanitize_logs()
        if isinstance(kwargs.get("catalog"), dict) and not isinstance(kwargs["catalog"], Catalog):
            kwargs["catalog"] = singer_catalog(kwargs["catalog"])
        super().__init__(*args, **kwargs)
        signals.handle_hangup(lambda signum, _frame: self.on_signal(signum))

    @cached_property
    def connection(self) -> Connection:
        """The FreshBooks user that the settings name."""
        from tap_freshbooks.connection import (  # noqa: PLC0415 - discovery needs no HTTP
            Connection,
        )

        given = self.given_settings
        token_file = given.token_file if isinstance(given, Settings) else None
        return Connection(self.config, token_file, self.plugin_version)

    @cached_property
    def run(self) -> SyncRun:
        """The sync of this tap."""
        from tap_freshbooks.sync import SyncRun  # noqa: PLC0415 - nor reads anything

        return SyncRun(self, self.connection)

    @property
    def run_state(self) -> RunState:
        """The state of the run, which the streams share."""
        return self.run.state

    def sync(self) -> None:
        """Read all that is selected."""
        foreign_names.tell_of_state(self.state, self.streams)
        with files_of(self.config):
            self.run.execute()

    @override
    def make_mapper(self) -> PluginMapper:
        streams = self.streams  # they say first what of the catalog they can follow
        if self.input_catalog is not None:
            foreign_names.tell_of_catalog(self.input_catalog, streams)
        return mapper_for(self.config, self.catalog, streams)

    @override
    def discover_streams(self) -> Sequence[RecordStream]:
        native = self._native_streams()
        streams = [stream(self) for stream in (*native, *self._unified_streams(native))]
        by_class = {type(stream): stream for stream in streams}
        for stream in streams:
            for source in stream.additional_parents:  # the SDK knows of one parent only
                by_class[source].child_streams.append(stream)
        return streams

    def _unified_streams(
        self, native: Sequence[type[RecordStream]]
    ) -> Sequence[type[RecordStream]]:
        folder = self.config.get("unified_mappings")
        if not folder and not self._wants_unified():
            return ()  # reading the mappings would take half as long as all the rest
        from tap_freshbooks.unified.stream_classes import stream_classes  # noqa: PLC0415 - nor this

        return stream_classes(
            native, folder, remote_data=self.config.get("unified_remote_data", False)
        )

    def _wants_unified(self) -> bool:
        if UNIFIED in str(self.config.get("stream_maps", "")):
            return True  # whether there is such a stream, they alone say
        if self.input_catalog is None:
            return not self._is_sync  # none of them is selected by default
        return any(
            name.startswith(UNIFIED) and entry.metadata.resolve_selection()[()]
            for name, entry in self.input_catalog.items()
        )

    def _native_streams(self) -> Sequence[type[RecordStream]]:
        settings = self.config.get("custom_streams")
        if not settings:
            return STREAMS
        known = self.input_catalog.items() if self.input_catalog else ()
        schemas = {name: entry.schema.to_dict() for name, entry in known}
        return definitions.stream_classes(settings, lambda: self.connection, schemas)

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        # The SDK makes an object of each part of each schema, and a dictionary of each object.
        return {
            "streams": [
                {
                    "tap_stream_id": stream.tap_stream_id,
                    **({"replication_key": key} if (key := stream.replication_key) else {}),
                    "replication_method": stream.replication_method,
                    "key_properties": stream.primary_keys,
                    "schema": stream.schema,
                    "stream": stream.name,
                    "metadata": stream.metadata.to_list(),
                }
                for stream in self.streams.values()
            ]
        }

    @property
    @override
    def catalog_json_text(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self.catalog_dict), indent=2).decode()

    @classmethod
    def read_settings(cls, sources: Sequence[str]) -> Settings:
        """The settings that a command line names.

        Args:
            sources: The values of `--config`.

        Raises:
            SettingsError: If a file or an environment variable cannot be read.
        """
        environment = cls.environment_settings() if FROM_ENVIRONMENT in sources else Settings()
        return Settings.load(sources, environment)

    @classmethod
    @override
    def environment_settings(cls) -> Settings:
        cls.append_builtin_config(cls.config_jsonschema)
        return read_environment(cls.config_jsonschema)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        return ConfigInput(cls.read_settings(value))

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's own Tap does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        if about:
            cls.print_about(about_format)
            return
        tap = cls(
            config=config.config if config else {},
            state=read_state(state),
            catalog=read_catalog(catalog),
            is_sync=True,
        )
        tap.sync()

    @override
    def complete_settings(self, settings: dict[str, Any]) -> None:
        self.append_builtin_config(self.config_jsonschema)
        places = settings.places if isinstance(settings, Settings) else {}
        warn_of_settings(settings, self.config_jsonschema, places, TOKEN_KEYS)
        errors = validate(settings, self.config_jsonschema, places)
        if errors:
            raise SettingsError(f"wrong settings: {'; '.join(errors)}")

    @override
    def on_signal(self, signum: int) -> None:
        if not signals.is_deferred(signum):
            has_state = "run" in self.__dict__ and self.run.has_begun
            if has_state:
                for complete in self.run_state.before_state:
                    complete()
                # Also an unchanged one: it vouches for the records since.
                self.message_writer.write_message(StateMessage(value=self.state))
                writer = self.message_writer
                has_state = not (isinstance(writer, BufferedMessageWriter) and writer.is_behind)
            raise RunInterruptedError(signum, has_state=has_state)


def command() -> click.Command:
    """The tap as a command, with its logging set up as the environment says.

    Raises:
        SettingsError: If that is not possible.
    """
    check_configuration()
    try:
        made: click.Command = TapFreshBooks.cli
    except Exception as error:  # noqa: BLE001 - whatever the classes that a configuration names raise
        raise configuration_error(error) from None
    for option in made.params:
        if isinstance(option.type, click.File):
            option.type = InputFile()
    return made
