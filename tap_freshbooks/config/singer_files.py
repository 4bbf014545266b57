"""Reads the files of `--state` and `--catalog`, and says what is wrong with them.

What is not looked at here may be anything; what is looked at has the declared form, or there is a
sentence that names the place.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib import Catalog

from tap_freshbooks.config.json_content import decode_text, flaw
from tap_freshbooks.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar = str | int | float | bool | None


class Partition(msgspec.Struct):
    """The state of one partition of a stream."""

    context: dict[str, Scalar]
    progress_markers: dict[str, Any] = {}


class Bookmark(msgspec.Struct):
    """The state of one stream; `sources` are of those that are made of several others."""

    partitions: list[Partition] = []
    sources: dict[str, dict[str, Any]] = {}
    progress_markers: dict[str, Any] = {}


class Node(msgspec.Struct, rename={"any_of": "anyOf", "all_of": "allOf", "one_of": "oneOf"}):
    """A part of a JSON schema, without the parts of it."""

    type: str | list[str] | None = None
    format: str | None = None
    properties: dict[str, Any] | None = None
    items: dict[str, Any] | None = None
    required: list[str] | None = None
    any_of: list[dict[str, Any]] | None = None
    all_of: list[dict[str, Any]] | None = None
    one_of: list[dict[str, Any]] | None = None


UNFOLLOWED = {
    *("$ref", "$dynamicRef", "const", "not", "if", "contains", "minItems", "maxItems"),
    *("uniqueItems", "prefixItems", "additionalItems", "minProperties", "maxProperties"),
    *("propertyNames", "dependencies", "dependentRequired", "dependentSchemas"),
}
"""Keywords of a JSON schema that the SDK drops, so that no record would be held against them."""


class Choices(msgspec.Struct, rename="kebab"):
    """What the metadata of a stream or a field say."""

    selected: bool | None = None
    selected_by_default: bool | None = None
    inclusion: str | None = None
    table_key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None
    forced_replication_method: str | None = None


class Metadata(msgspec.Struct):
    """The metadata of a stream or a field."""

    breadcrumb: list[str]
    metadata: Choices


class Entry(msgspec.Struct):
    """A stream of a catalog."""

    tap_stream_id: str
    stream: str | None = None
    metadata: list[Metadata] = []
    key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None


def read_state(file: IO[str] | None) -> dict[str, Any] | None:
    """Read the file of `--state`; an empty one means no state.

    Raises:
        SettingsError: If it is not a Singer state.
    """
    state = _read_json(file, "state")
    if isinstance(state, dict) and state.get("type") == "STATE":
        state = state.get("value", ())  # a line of the tap's own output, not of the target's
    elif isinstance(state, dict) and "singer_state" in state:
        state = state["singer_state"]  # as `meltano state get` shows it
    if state is None or state == {}:
        return None
    if problem := next(_problems_of_state(state), ""):
        raise SettingsError(
            f"the state file does not have the form of a Singer state: {problem}; without --state "
            "everything is read again"
        )
    return dict(state)


def _problems_of_state(state: Any) -> Iterator[str]:
    bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict):
        yield "it has no object `bookmarks`"
        return
    for name, bookmark in bookmarks.items():
        if problem := _mismatch(bookmark, Bookmark, f"bookmarks.{name}"):
            yield problem
            return
        contexts = [part["context"] for part in bookmark.get("partitions", ())]
        if len({json.dumps(each, sort_keys=True) for each in contexts}) < len(contexts):
            yield f"bookmarks.{name} has two partitions with one context"
    if problem := flaw(state):
        yield problem


def read_catalog(file: IO[str] | None) -> Catalog | None:
    """Read the file of `--catalog`.

    Raises:
        SettingsError: If it is not a Singer catalog.
    """
    return None if file is None else singer_catalog(_read_json(file, "catalog"))


def singer_catalog(content: Any) -> Catalog:
    """The catalog that a file holds.

    Raises:
        SettingsError: If it is none.
    """
    if problem := next(_problems_of_catalog(content), ""):
        raise SettingsError(
            f"the catalog file does not have the form of a Singer catalog: {problem}; make one "
            "with --discover"
        )
    return Catalog.from_dict(
        {"streams": [{**entry, **_replication_method(entry)} for entry in content["streams"]]}
    )


def _problems_of_catalog(content: Any) -> Iterator[str]:
    streams = content.get("streams") if isinstance(content, dict) else None
    if not streams or not isinstance(streams, list):
        yield "it has no list `streams` with a stream in it"
        return
    if problem := flaw(content):
        yield problem
    names = set()
    for position, entry in enumerate(streams):
        name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
        subject = f"{name or f'streams[{position}]'}"
        if problem := _mismatch(entry, Entry, subject):
            yield problem
        yield from _problems_of_schema(entry.get("schema", {}), f"{subject}.schema")
        if name in names:
            yield f"it lists the stream {name} twice"
        names.add(name)


def _problems_of_schema(node: Any, subject: str) -> Iterator[str]:
    if problem := _mismatch(node, Node, subject):
        yield problem
    if lost := sorted(UNFOLLOWED & node.keys()):
        yield f"{subject} has {', '.join(lost)}, which no record would be held against"
    for name, each in (node.get("properties") or {}).items():
        yield from _problems_of_schema(each, f"{subject}.{name}")
    if node.get("items"):
        yield from _problems_of_schema(node["items"], f"{subject}[]")


def _replication_method(entry: dict[str, Any]) -> dict[str, str]:
    """What `metadata` of a user say, as Meltano writes them there: the SDK overlooks it."""
    for each in entry.get("metadata", ()):
        method = each["metadata"].get("replication-method")
        if method and not each["breadcrumb"]:
            return {"replication_method": method}
    return {}


def _mismatch(content: Any, form: type[msgspec.Struct], subject: str) -> str:
    """What contradicts a form, and where; empty if nothing does. No value is in it."""
    try:
        msgspec.convert(content, form)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).replace("`", "").partition(" - at $")
        return f"{subject}{place}: {problem}"
    except RecursionError:
        return f"{subject} is nested too deeply"
    return ""


def _read_json(file: IO[str] | None, kind: str) -> Any:
    """The JSON of a file; None if it is empty."""
    try:
        return decode_text(file.buffer.read()) if file else None  # type: ignore[attr-defined] # every text that click opens
    except ValueError as error:
        hint = f": {error}" if str(error) and not isinstance(error, UnicodeError) else ""
        raise SettingsError(f"the {kind} file is not valid JSON{hint}") from None
