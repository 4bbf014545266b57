"""What we rely on in private members of the SDK; an upgrade that breaks it fails here first."""

from __future__ import annotations

import inspect
import logging
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.mapper import PluginMapper
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import Catalog, RecordMessage

from tap_freshbooks.config.settings import Settings
from tap_freshbooks.singer import sdk_bridge
from tap_freshbooks.singer.sdk_bridge import (
    ConfigInput,
    SdkStream,
    SdkTap,
)
from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "paid": {"type": ["boolean", "null"]}},
}
ROWS = [{"id": 1}, {"id": 2}]


class Rows(Stream):
    """A stream of the SDK's own kind, which notes what it is asked to do."""

    name = "rows"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = SCHEMA

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.called: list[str] = []

    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        assert context is None
        yield from (dict(row) for row in ROWS)


class OwnRows(SdkStream, Rows):
    """One that answers the bridge."""

    def deliver_records(
        self, partitions: Iterable[Mapping[str, Any] | None]
    ) -> Iterator[dict[str, Any]]:
        self.called.append("deliver_records")
        for partition in partitions:
            for record in self.get_records(partition):
                self.write_record(record)
                yield record

    def write_record(self, record: dict[str, Any]) -> None:
        self.called.append("write_record")
        for message in self.record_messages(record):
            self.tap.write_message(message)

    def record_messages(self, record: dict[str, Any]) -> Iterator[RecordMessage]:
        yield RecordMessage(self.name, record, self.version)

    def end_sync(self) -> None:
        self.called.append("end_sync")


class RowsTap(Tap):
    name = "tap-rows"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}
    stream: ClassVar[type[Rows]] = Rows

    def discover_streams(self) -> list[Stream]:
        return [self.stream(self)]


class OwnTap(RowsTap):
    stream = OwnRows


def tap_of(kind: type[RowsTap]) -> tuple[Any, Messages]:
    messages = Messages()
    tap = kind(message_writer=messages)
    return tap.streams["rows"], messages


def kinds(messages: Messages) -> list[str]:
    return [message["type"] for message in messages.all]


class TestWhatWeCall:
    def test_tap_is_the_tap_that_the_stream_was_made_with(self) -> None:
        stream, _ = tap_of(OwnTap)
        assert stream.tap is stream._tap
        assert isinstance(stream.tap, OwnTap)

    def test_stream_version_is_none_at_first_and_stands_in_the_records_of_the_sdk(self) -> None:
        stream, messages = tap_of(RowsTap)
        assert stream._stream_version is None
        stream._stream_version = 7
        stream._write_record_message({"id": 1})
        assert messages.all[-1]["version"] == 7

    def test_what_is_selected_says_the_catalog_that_apply_catalog_keeps(self) -> None:
        tap = OwnTap(message_writer=Messages())
        catalog = Catalog.from_dict(tap.catalog_dict)
        catalog["rows"].metadata.root.selected = False
        theirs, ours = Rows(tap), OwnRows(tap)  # that of the tap has looked already
        theirs.apply_catalog(catalog)
        ours.take_catalog(catalog)
        assert theirs._tap_input_catalog is catalog
        assert (theirs.selected, ours.selected, OwnRows(tap).selected) == (False, False, True)

    def test_write_schema_message_writes_one_schema_with_the_keys(self) -> None:
        stream, messages = tap_of(OwnTap)
        stream.write_schema()
        [schema] = messages.all
        assert schema["type"] == "SCHEMA"
        assert list(schema["key_properties"]) == ["id"]

    def test_write_state_message_writes_the_state_of_the_whole_tap(self) -> None:
        stream, messages = tap_of(OwnTap)
        stream.get_context_state(None)["seen"] = 1
        stream.state_manager.is_flushed = False
        stream.write_state()
        assert messages.state["bookmarks"]["rows"]["seen"] == 1

    def test_write_state_message_leaves_out_a_state_that_is_written_already(self) -> None:
        stream, messages = tap_of(OwnTap)
        stream.state_manager.is_flushed = True
        stream.write_state()
        assert not messages.all

    def test_write_activate_version_message_names_stream_and_version(self) -> None:
        stream, messages = tap_of(OwnTap)
        stream.write_activate_version(7)
        assert messages.all == [{"type": "ACTIVATE_VERSION", "stream": "rows", "version": 7}]

    def test_finalize_state_removes_what_belongs_to_a_running_sync_and_nothing_else(self) -> None:
        stream, _ = tap_of(OwnTap)
        state = {
            "replication_key": "at",
            "replication_key_value": "2026-01-01",
            "starting_replication_value": "2025-01-01",
            "full_read_at": "2026-01-01",
        }
        stream.finalize_state(state)
        assert state == {
            "replication_key": "at",
            "replication_key_value": "2026-01-01",
            "full_read_at": "2026-01-01",
        }


class OwnSettings(SdkTap, RowsTap):
    """A tap that notes what it is asked."""

    config_jsonschema: ClassVar[dict[str, Any]] = {
        "properties": {"size": {"type": ["integer", "null"]}}
    }
    checked: ClassVar[list[dict[str, Any]]] = []
    heard: ClassVar[list[int]] = []

    @classmethod
    def environment_settings(cls) -> dict[str, Any]:
        return {"size": 7}

    def complete_settings(self, settings: dict[str, Any]) -> None:
        self.checked.append(settings)

    def on_signal(self, signum: int) -> None:
        self.heard.append(signum)

    def make_mapper(self) -> PluginMapper:
        return PluginMapper({}, self.logger)


class TestTheTap:
    def test_settings_of_the_environment_are_those_of_env_var_config(self) -> None:
        tap = OwnSettings(parse_env_config=True)
        assert tap.config["size"] == 7

    def test_settings_are_checked_by_validate_config_and_stay_the_same_object(self) -> None:
        given = Settings(size=1)
        tap = OwnSettings(config=given)
        assert OwnSettings.checked[-1] is tap.given_settings
        assert isinstance(tap.given_settings, Settings)

    def test_mapper_is_what_setup_mapper_has_put_there(self) -> None:
        tap = OwnSettings()
        assert tap.mapper is tap._mapper
        assert not tap.mapper.stream_maps  # else the SDK would have made one of each stream

    def test_signals_are_handled_by_handle_termination(self) -> None:
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            OwnSettings()
            signal.raise_signal(signal.SIGTERM)
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)
        assert OwnSettings.heard == [signal.SIGTERM]

    def test_what_config_gives_to_invoke_is_a_config_input(self) -> None:
        given = TapFreshBooks.cb_config(None, None, ())  # type: ignore[arg-type] # asks neither
        assert isinstance(given, ConfigInput)
        assert given.config == {}


def family(kind: type[Rows]) -> list[type[Rows]]:
    """A stream, its child, and one that is alone."""
    parents = type("Parents", (kind,), {"name": "parents"})
    alone = {"state_partitioning_keys": ()}
    children = type(
        "Children", (kind,), {"name": "children", "parent_stream_type": parents, **alone}
    )
    return [parents, children, type("Alone", (kind,), {"name": "alone"})]


class LoudTap(RowsTap):
    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in family(Rows)]


class QuietTap(OwnSettings):
    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in family(OwnRows)]

    def make_mapper(self) -> PluginMapper:
        mapper = super().make_mapper()
        mapper.register_raw_streams_from_catalog(self.catalog)
        return mapper


class TestTheLog:
    """What the SDK does with each stream is of level info; through the bridge, of level debug."""

    @pytest.mark.parametrize(("kind", "level"), [(LoudTap, "INFO"), (QuietTap, "DEBUG")])
    def test_what_the_sdk_says(
        self,
        kind: type[RowsTap],
        level: str,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name in sdk_bridge.MODULES:
            monkeypatch.setattr(logging.getLogger(name), "filters", [])
        caplog.set_level(logging.DEBUG)
        tap = kind(message_writer=Messages())
        maps: Any = {"stream_maps": {"parents": {"__filter__": "id > 0"}}}
        PluginMapper(maps, tap.logger).register_raw_streams_from_catalog(tap.catalog)
        for name in ("alone", "children"):
            tap.streams[name].selected = False
        tap.sync_all()
        said = [(record.levelname, record.getMessage()) for record in caplog.records]
        for beginning in (
            "Skipping parse of env var settings",
            "Added 'children' as child stream to 'parents'",
            "Found 'parents' filter rule",
            "Skipping deselected stream 'alone'",
            "Beginning sync of 'parents'",
            *(("METRIC",) if kind is LoudTap else ()),  # those of ours come from streams/base.py
        ):
            assert {each for each, text in said if text.startswith(beginning)} == {level}

    def test_metrics_of_the_sdk_are_of_level_debug_unless_somebody_wants_them(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        QuietTap()
        caplog.set_level(logging.DEBUG)
        metrics = logging.getLogger("singer_sdk.metrics")
        metrics.info("METRIC")
        monkeypatch.setattr(metrics, "handlers", [logging.NullHandler()])
        metrics.info("METRIC")
        assert [record.levelname for record in caplog.records] == ["DEBUG", "INFO"]

    def test_warnings_stay_warnings_and_streams_keep_their_loggers(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        tap = QuietTap()
        tap.logger.warning("of the tap")
        tap.streams["alone"].log("of a stream", level=logging.ERROR)
        logging.getLogger("singer_sdk.mapper").warning("of a map")
        assert [(each.name, each.levelname) for each in caplog.records] == [
            ("tap-rows", "WARNING"),
            ("tap-rows.alone", "ERROR"),
            ("singer_sdk.mapper", "WARNING"),
        ]


def test_nothing_else_names_a_private_member_of_the_sdk() -> None:
    package = Path(sdk_bridge.__file__).parents[1]
    private = re.compile(r"singer_sdk[\w.]*\._\w+|from singer_sdk[\w.]* import (?:.*, )?_\w+")
    stream, _ = tap_of(RowsTap)
    owners = (Stream, Tap, PluginBase, stream, stream._tap)
    taken = {name for owner in owners for name in vars(owner)} - {"_logger"}  # a name of anyone
    members = [name for name in taken if re.fullmatch(r"_[a-z]\w+", name)]
    own = re.compile(rf"\.({'|'.join(members)})\b|def ({'|'.join(members)})\b")
    for path in package.rglob("*.py"):
        if path.name == "sdk_bridge.py":
            continue
        text = path.read_text()
        assert not private.findall(text), path
        if "streams" in path.parts or path.name in {"tap.py", "sync.py"}:
            assert not own.findall(text), path


class TestWhatWeAnswer:
    def test_sync_asks_sync_records_for_everything(self) -> None:
        stream, messages = tap_of(OwnTap)
        stream.sync()
        assert stream.called == ["deliver_records", "write_record", "write_record", "end_sync"]
        assert kinds(messages)[0] == "SCHEMA"
        assert kinds(messages).count("RECORD") == len(ROWS)

    def test_batches_and_tests_of_the_connection_take_the_way_of_the_sdk(self) -> None:
        stream, messages = tap_of(OwnTap)
        assert list(stream._sync_records(None, write_messages=False)) == ROWS
        stream.ABORT_AT_RECORD_COUNT = 100
        assert list(stream._sync_records(None)) == ROWS
        assert stream.called == ["end_sync", "write_record", "write_record", "end_sync"]
        assert kinds(messages).count("RECORD") == len(ROWS)

    def test_the_way_of_the_sdk_writes_each_record_with_write_record_message(self) -> None:
        stream, _ = tap_of(OwnTap)
        stream.ABORT_AT_RECORD_COUNT = 100
        list(stream._sync_records(None))
        assert stream.called == ["write_record", "write_record", "end_sync"]

    def test_write_record_message_of_the_sdk_writes_what_generate_record_messages_makes(
        self,
    ) -> None:
        stream, messages = tap_of(RowsTap)
        stream._generate_record_messages = lambda record: iter([RecordMessage("other", record)])
        stream._write_record_message({"id": 1})
        assert messages.all[-1]["stream"] == "other"
        assert list(OwnRows._generate_record_messages(tap_of(OwnTap)[0], {"id": 1}))

    @pytest.mark.parametrize(
        "member", ["_write_starting_replication_value", "_increment_stream_state"]
    )
    def test_what_is_left_out_is_called_by_the_way_of_the_sdk(
        self, member: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream, _ = tap_of(RowsTap)
        called = []
        monkeypatch.setattr(stream, member, lambda *_, **__: called.append(member))
        list(stream._sync_records(None))
        assert called

    @pytest.mark.parametrize(
        "member",
        [name for name in vars(SdkStream) if name.startswith("_") and name in vars(Stream)],
    )
    def test_what_we_override_takes_what_the_sdk_gives(self, member: str) -> None:
        ours, theirs = vars(SdkStream)[member], vars(Stream)[member]
        if inspect.isfunction(theirs) and not member.startswith("__"):
            assert list(inspect.signature(ours).parameters) == list(
                inspect.signature(theirs).parameters
            )
