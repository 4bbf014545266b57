"""Stream maps, flattening and files of batches: what works, and what is said of what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_freshbooks.errors import (
    BatchFileError,
    SettingsError,
    StreamMapError,
    StreamsFailedError,
)
from tap_freshbooks.singer import batches, stream_maps
from tap_freshbooks.singer.record_writer import RecordWriter
from tap_freshbooks.tap import TapFreshBooks
from tests.support import Messages, catalog_of

if TYPE_CHECKING:
    from pathlib import Path

    from singer_sdk.mapper import StreamMap

    from tap_freshbooks.singer.catalogued_stream import CataloguedStream


@pytest.fixture(scope="module")
def tap() -> TapFreshBooks:
    """A tap in which only the items are selected."""
    return TapFreshBooks(config={}, validate_config=False, catalog=catalog_of("items"))


def maps_of(tap: TapFreshBooks, maps: Any, **settings: Any) -> list[StreamMap]:
    """What the records of items go through."""
    config = {"stream_maps": maps, **settings}
    mapper = stream_maps.mapper_for(config, tap.catalog, tap.streams)
    assert config["stream_maps"] == maps
    return mapper.stream_maps["items"]


@pytest.mark.parametrize(
    "given",
    [
        {"number": "md5(number)"},
        {"x": "id", "__key_properties__": ["id"]},
        {"__else__": None},
        {"__alias__": "bills"},
        {"__filter__": "("},
        {"__nonsense__": 5},
        None,
        5,
    ],
)
@pytest.mark.parametrize("name", ["invoices", "invoice*"])
def test_maps_of_streams_that_are_not_selected_do_not_count(
    tap: TapFreshBooks, given: Any, name: str
) -> None:
    record = {"account_id": "A", "id": 1}
    for maps in ({name: given}, {name: given, "items": {"x": "id"}}):
        [each] = maps_of(tap, maps)
        assert (each.transform(dict(record)) or {}).items() >= record.items()


def test_a_stream_that_is_not_selected_has_a_map_too_once_it_is_read(tap: TapFreshBooks) -> None:
    mapper = stream_maps.mapper_for({}, tap.catalog, tap.streams)
    assert [*mapper.stream_maps] == ["items"]
    [each] = mapper.stream_maps["taxes"]
    assert each is mapper.stream_maps["taxes"][0]
    assert each.stream_alias == "taxes"
    with pytest.raises(KeyError):
        mapper.stream_maps["nonsense"]


def test_wildcards_reach_the_selected_streams_only(tap: TapFreshBooks) -> None:
    [each] = maps_of(tap, {"*": {"__alias__": "'my_' + __stream_name__", "x": "id"}})
    assert each.stream_alias == "my_items"


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
def test_all_other_streams_or_fields_may_be_left_out(tap: TapFreshBooks, nothing: Any) -> None:
    [removed] = maps_of(tap, {"__else__": nothing, "invoices": {"x": "id"}})
    assert removed.transform({"id": 1}) is None
    for maps in (
        {"__else__": nothing, "items": {"__else__": nothing, "name": "name"}},
        {"ite*": {"__else__": nothing, "name": "name"}},
        {"items": {"__else__": nothing, "name": "name", "__key_properties__": ["account_id"]}},
    ):
        [kept] = maps_of(tap, maps)
        record = {"account_id": "A", "id": 1, "name": "n", "sku": "s"}
        found = kept.transform(record) or {}
        assert {"account_id", "name"} <= found.keys() <= {"account_id", "id", "name"}
        assert set(kept.transformed_key_properties or ()) <= found.keys()
        assert found.keys() == kept.transformed_schema["properties"].keys()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (5, "stream_maps.items must be an object, or null"),
        ([], "stream_maps.items must be an object, or null"),
        ("x", "stream_maps.items must be an object, or null"),
        ({"__else__": "x"}, "stream_maps.items.__else__ can only be null"),
        ({"__filter__": "("}, "stream_maps.items.__filter__ is no expression"),
        ({"__filter__": 5}, "stream_maps.items.__filter__ must be an expression"),
        ({"__filter__": "x = 1"}, "stream_maps.items.__filter__ is no expression"),
        ({"__alias__": None}, "stream_maps.items.__alias__ must be a text"),
        ({"__alias__": "my items"}, "stream_maps or flattening of items make no sense"),
        ({"__source__": None}, "stream_maps.items.__source__ must be a text"),
        ({"__key_properties__": "id"}, "__key_properties__ must be a list of names"),
        ({"__key_properties__": [5]}, "__key_properties__ must be a list of names"),
        ({"__key_properties__": ["nope"]}, "make no sense: Invalid key properties for 'items'"),
        ({"__nope__": "x"}, "stream_maps.items.__nope__ is none of __alias__, __source__"),
        ({"id": None}, "Removing key property 'id'"),
        ({"name": {}}, "stream_maps.items.name must be an expression"),
        ({"name": ""}, "stream_maps.items.name is no expression"),
        ({"name": "import os"}, "stream_maps.items.name is no expression"),
        ({"name": "'\0'"}, "stream_maps.items.name is no expression"),
        ({"name": "-" * 100_000 + "1"}, "stream_maps.items.name is no expression"),
    ],
)
def test_maps_that_make_no_sense_are_refused_by_name(
    tap: TapFreshBooks, given: Any, says: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        maps_of(tap, {"items": given})
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("maps", "name"),
    [
        ({"items": {"__alias__": "taxes"}}, "taxes"),
        ({"items": {"__alias__": "all"}, "taxes": {"__alias__": "all"}}, "all"),
        ({"*": {"__alias__": "all"}}, "all"),
        ({"taxes": {"__source__": "items", "x": "id"}}, "taxes"),
    ],
)
def test_two_streams_cannot_get_one_name(maps: Any, name: str) -> None:
    tap = TapFreshBooks(config={}, validate_config=False, catalog=catalog_of("items", "taxes"))
    says = f"name two streams {name}, whose rows would replace each other there: items and taxes"
    with pytest.raises(SettingsError, match=says):
        stream_maps.mapper_for({"stream_maps": maps}, tap.catalog, tap.streams)
    alone = {"stream_maps": {"taxes": None, "items": {"__alias__": "taxes"}}}
    assert stream_maps.mapper_for(alone, tap.catalog, tap.streams)


@pytest.mark.parametrize("expression", ["None", "''", "None if id else id"])
def test_a_key_of_which_a_map_leaves_nothing_fails_the_stream(
    tap: TapFreshBooks, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    stream = tap.streams["items"]
    maps = maps_of(tap, {"items": {"id": expression}})
    monkeypatch.setitem(tap.mapper.stream_maps, "items", maps)
    with pytest.raises(StreamMapError, match="stream_maps of items: nothing is left in id"):
        RecordWriter(cast("CataloguedStream", stream)).write({"account_id": "A", "id": 1})


def test_what_is_left_out_of_all_can_only_be_null(tap: TapFreshBooks) -> None:
    with pytest.raises(SettingsError, match=r"^stream_maps.__else__ can only be null"):
        maps_of(tap, {"__else__": "x"})


def test_a_stream_that_is_not_there_is_told(
    tap: TapFreshBooks, caplog: pytest.LogCaptureFixture
) -> None:
    maps_of(tap, {"itmes": {"x": "id"}, "my": {"__source__": "nonsense"}, "invoices": None})
    told = [each.message for each in caplog.records if "belongs to no stream" in each.message]
    assert told == [
        "stream_maps.itmes belongs to no stream: there is no itmes (did you mean items?)",
        "stream_maps.my belongs to no stream: there is no nonsense",
    ]


def flattened(tap: TapFreshBooks, **settings: Any) -> list[StreamMap]:
    return maps_of(tap, {}, flattening_enabled=True, flattening_max_depth=2, **settings)


def test_flattening_that_would_make_one_column_of_two_is_refused(tap: TapFreshBooks) -> None:
    assert "unit_cost__amount" in flattened(tap)[0].transformed_schema["properties"]
    two = {"unit_cost_amount": "'x'"}
    with pytest.raises(SettingsError, match=r"makes two fields of items the column unit_cost_am"):
        maps_of(
            tap,
            {"items": two},
            flattening_enabled=True,
            flattening_max_depth=1,
            flattening_separator="_",
        )


@pytest.mark.parametrize("length", [1, 5, 8])
def test_flattening_that_shortens_a_key_is_refused(tap: TapFreshBooks, length: int) -> None:
    with pytest.raises(SettingsError, match="raise flattening_max_key_length"):
        flattened(tap, flattening_max_key_length=length)


def test_what_calculates_names_needs_its_package(
    tap: TapFreshBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="xx_XX"):
        maps_of(tap, {"items": {"name": "fake.name()"}}, faker_config={"locale": "xx_XX"})
    monkeypatch.setattr(stream_maps, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"faker_config needs .*singer-sdk\[faker\]"):
        maps_of(tap, {"items": {"name": "fake.name()"}}, faker_config={"seed": 1})


@pytest.mark.parametrize(
    ("definition", "error", "says"),
    [
        ("inventory > 'x'", StreamsFailedError, "name fails with TypeError, for the values of"),
        ("config['nope']", StreamsFailedError, "name fails with KeyError"),
        ("float('Secret GmbH')", StreamsFailedError, "name fails with ValueError"),
        ("inventory.upper()", StreamsFailedError, "name fails with AttributeDoesNotExist, for the"),
        ("nmae", SettingsError, "stream_maps of items: name cannot be calculated: 'nmae' is not"),
    ],
)
def test_an_expression_that_fails_with_a_row_is_named_without_its_values(
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    definition: str,
    error: type[Exception],
    says: str,
) -> None:
    settings = {**config, "stream_maps": {"items": {"name": definition}}}
    messages = Messages()
    tap = TapFreshBooks(config=settings, catalog=catalog_of("items"), message_writer=messages)
    with pytest.raises(error) as failure:
        tap.sync()
    told = str(failure.value) + caplog.text
    assert says in told
    assert "unexpected" not in told
    assert "GmbH" not in told
    assert not messages.records["items"]


def settings_of(root: str, kind: str = "jsonl", **storage: Any) -> dict[str, Any]:
    return {"batch_config": {"encoding": {"format": kind}, "storage": {"root": root, **storage}}}


def test_files_that_can_be_written_leave_nothing_behind(tmp_path: Path) -> None:
    for root in (f"file://{tmp_path}/a/b", str(tmp_path / "c")):
        with batches.files_of(settings_of(root, prefix="p-")):
            pass
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (settings_of("/dev/null/x"), "root cannot be written to: Not a directory"),
        (settings_of("/dev/null"), "root cannot be written to: File exists"),
        (settings_of("file:///proc/x"), "root cannot be written to: No such file"),
        (settings_of("nonsense://x"), "written to: it is no place that is known here"),
        (settings_of("file:///a\0b"), "written to: it is no place that is known here"),
        (settings_of("file:///dev/null"), "written to: there is a file where a folder should be"),
        (settings_of("s3://bucket/x"), "root cannot be written to: a package is missing (Install"),
        (settings_of(".", prefix="\0"), "or has characters that none can have"),
        (settings_of(".", prefix="no/such/"), "root cannot be written to: No such file"),
    ],
)
def test_files_that_cannot_be_written_are_told_before_anything_is_read(
    settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError) as refusal, batches.files_of(settings):
        raise AssertionError
    assert says in str(refusal.value)


def test_parquet_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "find_spec", lambda _: None)
    with (
        pytest.raises(SettingsError, match=r"pip install 'singer-sdk\[parquet\]'"),
        batches.files_of(settings_of(str(tmp_path), "parquet")),
    ):
        raise AssertionError


def test_a_file_that_cannot_be_written_later_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(BatchFileError, match=r"storage.root cannot be written: No space left"),
        batches.files_of(settings_of(str(tmp_path))),
    ):
        raise OSError(28, "No space left on device")
    with pytest.raises(ZeroDivisionError), batches.files_of({}):
        _ = 1 / 0
