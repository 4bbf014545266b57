"""TapFreshBooks: settings and the list of streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import StateMessage
from typing_extensions import override

from tap_freshbooks import signals
from tap_freshbooks.config.settings import (
    FROM_ENVIRONMENT,
    Settings,
    complete,
    from_environment,
    read_catalog,
    read_state,
)
from tap_freshbooks.custom_streams import definitions
from tap_freshbooks.errors import RunInterruptedError, SettingsError
from tap_freshbooks.singer.message_writer import BufferedMessageWriter
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import IO

    import click
    from singer_sdk.singerlib import Catalog

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.streams.run_state import RunState
    from tap_freshbooks.sync import SyncRun


def _environment(tap: type[TapFreshBooks]) -> dict[str, Any]:
    tap.append_builtin_config(tap.config_jsonschema)
    return from_environment(tap.config_jsonschema)


class TapFreshBooks(Tap):
    """Everything out of FreshBooks, completely, without losing the connection."""

    name = "tap-freshbooks"
    package_name = "tap-freshbooks"
    message_writer_class = BufferedMessageWriter
    _env_var_config = classproperty(_environment)  # the SDK's own puts a `.env` over it

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "client_id",
            th.StringType,
            title="Client ID",
            description="Of the FreshBooks app; the developer portal shows it",
        ),
        th.Property(
            "client_secret",
            th.StringType,
            secret=True,
            title="Client secret",
            description="Of the FreshBooks app",
        ),
        th.Property(
            "redirect_uri",
            th.StringType,
            title="Redirect URI",
            description="One of those registered with the FreshBooks app",
        ),
        th.Property(
            "refresh_token",
            th.StringType,
            secret=True,
            title="Refresh token",
            description="The first refresh token; from then on the token store rules. "
            "A new value here means that the account was authorised anew",
        ),
        th.Property(
            "access_token",
            th.StringType,
            secret=True,
            title="Access token",
            description="Without a refresh token: used as it is, and never refreshed",
        ),
        th.Property(
            "token_store",
            th.StringType,
            title="Token store",
            description="Where tokens live: a file, or a SQLAlchemy URL (sqlite:///…, "
            "postgresql+psycopg://…). Default: below Meltano's system directory, else "
            "the one --config file with the refresh token, else the user's state directory",
        ),
        th.Property(
            "token_encryption_key",
            th.StringType,
            secret=True,
            title="Token encryption key",
            description="Encrypts tokens at rest: a Fernet key, or several separated by commas, "
            "the newest first",
        ),
        th.Property(
            "connection",
            th.StringType(min_length=1),
            default="default",
            title="Connection",
            description="Names this FreshBooks user where several share a token store",
        ),
        th.Property(
            "auth_failure_url",
            th.StringType,
            title="Auth failure URL",
            description="Gets a POST of a JSON event, once, when the account must be authorised "
            "again",
        ),
        th.Property(
            "business_ids",
            th.ArrayType(th.IntegerType),
            title="Business IDs",
            description="Which businesses to read; default: all that the user may read",
        ),
        th.Property(
            "start_date",
            th.DateTimeType,
            title="Start date",
            description="The oldest change wanted, where FreshBooks can filter; default: all",
        ),
        th.Property(
            "include_deleted",
            th.BooleanType,
            default=True,
            title="Include deleted",
            description="Whether to deliver deleted rows too, with _sdc_deleted_at",
        ),
        th.Property(
            "full_refresh_interval",
            th.NumberType(minimum=0),
            default=7,
            title="Full refresh interval",
            description="Days after which an incremental stream is read whole once, since some "
            "values change without a stamp; 0 for each time",
        ),
        th.Property(
            "report_interval",
            th.StringType(allowed_values=["month", "quarter", "year"]),
            default="month",
            title="Report interval",
            description="How long the periods of report streams are",
        ),
        th.Property(
            "report_lookback",
            th.IntegerType(minimum=0),
            default=2,
            title="Report lookback",
            description="How many of the last periods are read again each time",
        ),
        th.Property(
            "report_currencies",
            th.ArrayType(th.StringType),
            title="Report currencies",
            description="ISO codes to read reports for; default: the currency of the business",
        ),
        th.Property(
            "custom_streams",
            definitions.SETTING,
            title="Custom streams",
            description="Endpoints that the tap does not know, as streams: a list of objects with "
            "name, path, records and more (docs/custom-streams.md)",
        ),
        th.Property(
            "unified_mappings",
            th.StringType,
            title="Unified mappings",
            description="A folder of files that change how the streams unified_… are filled "
            "(docs/unified.md)",
        ),
        th.Property(
            "unified_remote_data",
            th.BooleanType,
            default=False,
            title="Unified remote data",
            description="Whether rows of the streams unified_… have their native record in "
            "remote_data",
        ),
        th.Property(
            "webhook_inbox",
            th.StringType,
            secret=True,
            title="Webhook inbox",
            description="Where `tap-freshbooks webhooks serve` keeps what FreshBooks tells: a "
            "SQLite file, or a SQLAlchemy URL. Then what changed is read by its id, within seconds",
        ),
        th.Property(
            "poll_interval",
            th.NumberType(minimum=0),
            default=1,
            title="Poll interval",
            description="With webhook_inbox: hours after which a stream without webhooks is read "
            "again",
        ),
        th.Property(
            "reconcile_interval",
            th.NumberType(minimum=0),
            default=24,
            title="Reconcile interval",
            description="With webhook_inbox: hours after which the lists of a stream with webhooks "
            "are read all the same, since deliveries can be lost",
        ),
        th.Property(
            "max_concurrency",
            th.IntegerType(minimum=1),
            default=4,
            title="Max concurrency",
            description="Requests in flight, at most",
        ),
        th.Property(
            "requests_per_second",
            th.NumberType(exclusive_minimum=0),
            default=10,
            title="Requests per second",
            description="Requests sent, at most",
        ),
        th.Property(
            "request_timeout",
            th.NumberType(exclusive_minimum=0),
            default=60,
            title="Request timeout",
            description="Seconds to wait for an answer",
        ),
        th.Property(
            "max_attempts",
            th.IntegerType(minimum=1),
            default=8,
            title="Max attempts",
            description="Tries per request, the first included",
        ),
        th.Property(
            "user_agent",
            th.StringType,
            title="User agent",
            description="Sent with each request; default: tap-freshbooks/VERSION",
        ),
        th.Property(
            "api_url",
            th.StringType,
            title="API URL",
            description="Base URL of the API; also from FRESHBOOKS_API_URL",
        ),
        th.Property(
            "auth_url",
            th.StringType,
            title="Authorize URL",
            description="Base URL of the consent page; also from FRESHBOOKS_AUTH_URL",
        ),
    ).to_dict()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signals.handle_hangup(self._handle_termination)

    @cached_property
    def connection(self) -> Connection:
        """The FreshBooks user that the settings name."""
        from tap_freshbooks.connection import (  # noqa: PLC0415 - discovery needs no HTTP
            Connection,
        )

        token_file = self._config.token_file if isinstance(self._config, Settings) else None
        return Connection(self.config, token_file, self.plugin_version)

    @cached_property
    def run(self) -> SyncRun:
        """The sync of this tap."""
        from tap_freshbooks.sync import SyncRun  # noqa: PLC0415 - nor reads anything

        return SyncRun(self, self.connection)

    @property
    def run_state(self) -> RunState:
        """What the streams share while they are read."""
        return self.run.state

    def sync(self) -> None:
        """Read all that is selected."""
        self.run.execute()

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
        if not folder and self.input_catalog and not self._selects_unified(self.input_catalog):
            return ()  # reading the mappings would take a tenth of a second
        from tap_freshbooks.unified.streams import stream_classes  # noqa: PLC0415 - nor this

        return stream_classes(
            native, folder, remote_data=self.config.get("unified_remote_data", False)
        )

    @staticmethod
    def _selects_unified(catalog: Catalog) -> bool:
        return any(
            name.startswith("unified_") and entry.metadata.resolve_selection()[()]
            for name, entry in catalog.items()
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
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        environment = cls._env_var_config if FROM_ENVIRONMENT in value else {}
        return _ConfigInput(Settings.load(value, environment))

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's own Tap does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
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
        )
        tap.sync()

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        errors = complete(self._config, self.config_jsonschema)
        if errors and raise_errors:
            raise SettingsError(f"wrong settings: {'; '.join(errors)}")
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if not signals.is_deferred(signum):
            has_state = "run" in self.__dict__ and self.run.has_begun
            if has_state:
                # Also an unchanged one: it vouches for the records since.
                self.message_writer.write_message(StateMessage(value=self.state))
            raise RunInterruptedError(signum, has_state=has_state)
