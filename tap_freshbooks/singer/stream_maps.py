"""Stream maps: of the setting, those of the streams that are read; and what is wrong with them.

Many taps share one configuration, so a map of a stream that is not selected does not count.
"""

from __future__ import annotations

import ast
import logging
import traceback
from fnmatch import fnmatch
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap, PluginMapper, RemoveRecordTransform
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_freshbooks.errors import SettingsError, StreamMapError, TapError
from tap_freshbooks.records import Tombstone
from tap_freshbooks.singer.foreign_names import hint
from tap_freshbooks.singer.sdk_bridge import quiet_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream
    from singer_sdk.mapper import StreamMap

logger = logging.getLogger("tap-freshbooks")

quiet = quiet_logger("tap-freshbooks.stream_maps")

ELSE, SOURCE, KEYS = "__else__", "__source__", "__key_properties__"
TEXTS = ("__alias__", SOURCE)
FILTER = "__filter__"
NOTHING = (None, "__NULL__")
"""What leaves a stream or a field out."""

OF_VALUES = {"AttributeDoesNotExist", "IterableTooLong", "NumberTooHigh"}
"""What simpleeval raises for values, such as `name.upper()` where the name is null, too."""

NEEDS_FAKER = "pip install 'singer-sdk[faker]' brings what stream maps call fake"


class _Map(CustomStreamMap):
    """A stream map that lets tombstones through: they have keys, and nulls for all else.

    A filter would keep out what it has let through before, and an expression fail with a null.
    """

    @override
    def get_filter_result(self, record: dict[str, Any]) -> bool:
        return isinstance(record, Tombstone) or super().get_filter_result(record)

    @override
    def _eval(
        self, expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None
    ) -> Any:
        try:
            return super()._eval(expr, expr_parsed, record, property_name)
        except Exception:
            if isinstance(record, Tombstone):
                return None
            raise


def mapper_for(
    config: Mapping[str, Any], catalog: Catalog, streams: Mapping[str, Stream]
) -> PluginMapper:
    """What maps and flattens the records of streams.

    Args:
        config: The settings.
        catalog: The entries of the streams.
        streams: All that there are; those that are not selected are not mapped.

    Raises:
        SettingsError: If a map of a selected stream makes no sense.
    """
    maps = config.get("stream_maps") or {}
    _warn_of_unknown(maps, streams)
    plain = PluginMapper({}, quiet)
    plain.stream_maps = _Maps(catalog)
    names = [name for name in sorted(streams.keys() & catalog.keys()) if streams[name].selected]
    for name in names:
        stream, entry = streams[name], Catalog({name: catalog[name]})
        mine = dict(_maps_of(stream, maps))
        if config.get("faker_config") and mine and not find_spec("faker"):
            raise SettingsError(f"faker_config needs the package faker; {NEEDS_FAKER}")
        try:
            mapper = PluginMapper({**config, "stream_maps": mine}, quiet)
            mapper.register_raw_streams_from_catalog(entry)
        except Exception as error:  # noqa: BLE001 - the SDK tells wrong settings in many ways
            raise _wrong_settings(name, error) from None
        for stream_map in mapper.stream_maps[name]:
            _check_keys(name, stream_map)
            if isinstance(stream_map, CustomStreamMap):
                stream_map.__class__ = _Map  # the SDK makes them itself
        plain.stream_maps[name] = mapper.stream_maps[name]
    _check_names({name: plain.stream_maps[name] for name in names})
    return plain


class _Maps(dict[str, "list[StreamMap]"]):
    """Maps by stream. Of a stream that is not selected, they change nothing.

    These are made when they are asked for, by a test of the connection, say: to make them of all
    takes longer than to make the streams.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog

    def __missing__(self, name: str) -> list[StreamMap]:
        mapper = PluginMapper({}, quiet)
        mapper.register_raw_streams_from_catalog(Catalog({name: self._catalog[name]}))
        return self.setdefault(name, mapper.stream_maps[name])


def _check_names(stream_maps: Mapping[str, list[StreamMap]]) -> None:
    """No two maps may give one name: a target would put the rows of one over those of the other."""
    sources: dict[str, str] = {}
    for stream, maps in stream_maps.items():
        for each in maps:
            if isinstance(each, RemoveRecordTransform):
                continue
            if each.stream_alias in sources:
                other = sources[each.stream_alias]
                raise SettingsError(
                    f"stream_maps name two streams {each.stream_alias}, whose rows would replace "
                    f"each other there: {other} and {stream}; change `__alias__`"
                )
            sources[each.stream_alias] = stream


def _maps_of(stream: Stream, maps: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The maps of a stream, each with the keys of it where all other fields are left out.

    The SDK leaves the keys in the records, then, but not in the schema, and refuses that.

    Raises:
        SettingsError: If one makes no sense.
    """
    for name, given in maps.items():
        if name == ELSE and given not in NOTHING:
            raise SettingsError(f"stream_maps.{ELSE} can only be null: it leaves out all others")
        if name != ELSE and not fnmatch(stream.name, _source(name, given)):
            continue
        _check_form(f"stream_maps.{name}", given)
        keys: dict[str, str] = {}
        if isinstance(given, dict) and ELSE in given:
            wanted = given.get(KEYS, stream.primary_keys) or ()
            keys = {key: key for key in wanted if key in stream.schema["properties"]}
        yield name, {**keys, **given} if isinstance(given, dict) else given


def _source(name: str, given: Any) -> str:
    """The name of the stream that a map belongs to, perhaps with wildcards."""
    source = given.get(SOURCE, name) if isinstance(given, dict) else name
    return source if isinstance(source, str) else name


def _warn_of_unknown(maps: Mapping[str, Any], streams: Mapping[str, Stream]) -> None:
    for name, given in maps.items():
        source = _source(name, given)
        if name != ELSE and not any(fnmatch(stream, source) for stream in streams):
            logger.warning(
                "stream_maps.%s belongs to no stream: there is no %s%s",
                name,
                source,
                hint(source, streams),
            )


def _check_form(place: str, given: Any) -> None:
    if given in NOTHING:
        return
    if not isinstance(given, dict):
        raise SettingsError(f"{place} must be an object, or null to leave the stream out")
    for name, definition in given.items():
        if problem := _problem(name, definition):
            raise SettingsError(f"{place}.{name} {problem}")


def _problem(name: str, definition: Any) -> str:
    """What is wrong with a part of a stream map; empty if nothing is."""
    if name == ELSE:
        return "" if definition in NOTHING else "can only be null: it leaves out all other fields"
    if name == KEYS:
        names = definition if isinstance(definition, list) else [] if definition is None else [0]
        is_list = all(isinstance(each, str) for each in names)
        return "" if is_list else "must be a list of names of fields, or null"
    if name in TEXTS:
        return "" if isinstance(definition, str) and definition else "must be a text"
    if name != FILTER and name.startswith("__") and name.endswith("__"):
        return f"is none of {', '.join((*TEXTS, ELSE, FILTER, KEYS))}"
    if definition in NOTHING:
        return ""
    if not isinstance(definition, str):
        return "must be an expression in a text, or null to leave the field out"
    try:
        ast.parse(definition.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return "is no expression that can be understood"
    return ""


def _wrong_settings(stream: str, error: Exception) -> SettingsError:
    text = str(error)
    if "Duplicate column name" in text:
        column = text.rpartition(": ")[2]
        return SettingsError(
            f"flattening makes two fields of {stream} the column {column}, and one of them would "
            "be lost: raise flattening_max_key_length, or choose another flattening_separator"
        )
    return SettingsError(
        f"stream_maps or flattening of {stream} make no sense: {text or type(error).__name__}"
    )


def _check_keys(stream: str, stream_map: StreamMap) -> None:
    """The keys must be among the fields, else no target knows which rows are the same."""
    if isinstance(stream_map, RemoveRecordTransform):
        return
    known = stream_map.transformed_schema.get("properties", {})
    if lost := [key for key in stream_map.transformed_key_properties or () if key not in known]:
        raise SettingsError(
            f"of {stream}, stream_maps or flattening leave no field {', '.join(lost)}, which is "
            "one of its keys: raise flattening_max_key_length, or set __key_properties__"
        )


def failure(stream: str, error: Exception) -> TapError:
    """The error to raise where a map fails with a record; no value of it is told."""
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [each["property_name"] for each in frames if "property_name" in each]
    place = f"stream_maps of {stream}: {(names[-1] or FILTER) if names else 'an expression'}"
    is_wrong = isinstance(error, MapExpressionError)
    kind = type(error.__cause__ if is_wrong and error.__cause__ else error).__name__
    if not is_wrong or kind in OF_VALUES:
        return StreamMapError(
            f"{place} fails with {kind}, for the values of some rows: a field may "
            "be null or missing there, or not of the type that it wants"
        )
    reason = str(error.__cause__ or error)
    remedy = f"; {NEEDS_FAKER}" if "'fake'" in reason else ""
    return SettingsError(f"{place} cannot be calculated: {reason}{remedy}")
