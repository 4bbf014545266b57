"""Makes the classes of the unified streams from their mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.streams.resources.account import Systems
from tap_freshbooks.streams.resources.identity import Businesses
from tap_freshbooks.unified.mapping import VERSION, links
from tap_freshbooks.unified.mapping_loader import load
from tap_freshbooks.unified.streams import CompanyInfo, UnifiedStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tap_freshbooks.streams.base import RecordStream
    from tap_freshbooks.unified.mapping import Column, EntityMapping

REMOTE_DATA = "remote_data"

UNLISTED = frozenset({"identities", "bank_accounts"})
"""Streams that links name although FreshBooks has no list of them."""


def stream_classes(
    native: Sequence[type[RecordStream]], folder: str | None, *, remote_data: bool
) -> list[type[UnifiedStream]]:
    """The unified streams.

    Args:
        native: The streams that they are made of.
        folder: The setting `unified_mappings`.
        remote_data: The setting `unified_remote_data`.

    Raises:
        SettingsError: If a file of the user makes no sense; it names file, field and reason.
    """
    by_name = {stream.name: stream for stream in native}
    mappings = load(folder)
    _check_links(mappings, by_name.keys() | UNLISTED)
    classes = []
    for mapping in mappings.values():
        columns = [
            column
            for column in mapping.columns.values()
            if remote_data or column.name != REMOTE_DATA
        ]
        stream = _stream_class(mapping, columns, by_name)
        if mapping.version != VERSION:
            stream.check()
        elif any(native not in STREAMS for native in stream.natives.values()):
            _check_overridden(stream)
        classes.append(stream)
    return classes


def _stream_class(
    mapping: EntityMapping, columns: Sequence[Column], by_name: Mapping[str, type[RecordStream]]
) -> type[UnifiedStream]:
    natives = [by_name[name] for name in mapping.sources]
    base = CompanyInfo if natives[0] is by_name[Businesses.name] else UnifiedStream
    roots = [Systems] if base is CompanyInfo else list(map(_root, natives))
    attributes: dict[str, Any] = {
        "__doc__": mapping.description,
        "name": mapping.stream,
        "mapping": mapping,
        "natives": dict(zip([root.name for root in roots], natives, strict=True)),
        "source": by_name[roots[0].name],
        "roots": tuple(by_name[root.name] for root in roots),
        "additional_parents": tuple(by_name[root.name] for root in roots[1:]),
        "columns": columns,
    }
    return type(mapping.stream, (base,), attributes)


def _check_links(mappings: Mapping[str, EntityMapping], known: AbstractSet[str]) -> None:
    """Every link names a native stream that exists.

    Raises:
        SettingsError: If one does not.
    """
    for link in links(mappings):
        if link.native not in known:
            file = mappings[link.stream].columns[link.column].file
            raise SettingsError(
                f"unified_mappings, {file}: {link.column}: `ref` names {link.native}, which is no "
                "native stream"
            )


def _check_overridden(stream: type[UnifiedStream]) -> None:
    """A mapping of the package fits a native stream that the user has overridden.

    Raises:
        SettingsError: If it does not.
    """
    try:
        stream.check()
    except SettingsError as error:
        raise SettingsError(
            f"custom_streams: {stream.name} cannot be made of an overridden stream ({error})"
        ) from None


def _root(native: type[RecordStream]) -> type[ListStream]:
    """The stream whose pages have the records of a native one."""
    root = native.source if issubclass(native, DerivedStream) else native
    assert issubclass(root, ListStream)  # noqa: S101 - tests load all mappings
    return root
