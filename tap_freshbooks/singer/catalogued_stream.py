"""CataloguedStream: what a catalog may say of a stream, and what it may not."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Schema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, Metadata, StreamMetadata
from typing_extensions import override

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.records import EXTRA
from tap_freshbooks.singer.catalog_schema import CatalogSchema
from tap_freshbooks.singer.foreign_names import hint
from tap_freshbooks.singer.sdk_bridge import SdkStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.singerlib import Catalog, CatalogEntry, MetadataMapping

REMEDY = (
    "take that out of the catalog, or of the extra `metadata` of Meltano. A catalog of an older "
    "release is made anew with --discover, by Meltano with --refresh-catalog"
)


class CataloguedStream(SdkStream, ABC):
    """A stream that follows its catalog as far as it can, and refuses the rest in a sentence.

    Attributes:
        catalog_schema: What the catalog says of its fields; None if it says what they are.
    """

    catalog_schema: CatalogSchema | None = None

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        # As the SDK does it, a catalog would take the place of keys and fields.
        keys, key, method = self.primary_keys, self.replication_key, self.replication_method
        entry = catalog.get_stream(self.tap_stream_id)
        if entry:
            _complete_metadata(entry.metadata, [*keys, *([key] if key else ())])
        self.take_catalog(catalog)
        if entry and self.selected:
            self._check_names(entry, keys, key)
            method = self._method(entry, method)
            self._follow_schema(entry)
        self.forced_replication_method = method
        if entry:  # one that was made by hand may lack them
            entry.stream, entry.key_properties = self.name, list(keys)

    @property
    @override
    def effective_schema(self) -> dict[str, Any]:
        """What the catalog says of the fields."""
        return self.catalog_schema.schema if self.catalog_schema else self.schema

    def _check_names(self, entry: CatalogEntry, keys: Any, key: str | None) -> None:
        root: Any = entry.metadata.get(()) or StreamMetadata()
        if entry.stream not in {None, self.name}:
            raise SettingsError(
                f"the catalog calls the stream {self.name} {entry.stream}; leave `stream` and "
                "`tap_stream_id` as they are, and rename it with stream_maps: "
                f'{{"{self.name}": {{"__alias__": "{entry.stream}"}}}}'
            )
        for wanted in (entry.key_properties, root.table_key_properties):
            if wanted and set(wanted) != set(keys):
                raise SettingsError(
                    f"the catalog gives the stream {self.name} the keys {', '.join(wanted)}, but "
                    f"its rows are told from others by {', '.join(keys)}; {REMEDY}. "
                    "`__key_properties__` of stream_maps sets others"
                )
        for each in (entry.replication_key, root.replication_key):
            if each and each != key:
                finds = f"finds changes by {key}" if key else "has nothing to find changes by"
                raise SettingsError(
                    f"the catalog gives the stream {self.name} the replication key {each}, but it "
                    f"{finds}; {REMEDY}"
                )

    def _method(self, entry: CatalogEntry, own: str) -> str:
        """How the stream is replicated: incrementally if it can be, unless a user wants it all."""
        root: Any = entry.metadata.get(()) or StreamMetadata()
        for method in (entry.replication_method, root.forced_replication_method):
            if not method or method == own:
                continue
            if method == REPLICATION_FULL_TABLE:
                return REPLICATION_FULL_TABLE
            can = "FULL_TABLE" if own == REPLICATION_FULL_TABLE else "INCREMENTAL or FULL_TABLE"
            raise SettingsError(
                f"the catalog wants the stream {self.name} to be replicated by {method}; it can be "
                f"by {can}: {REMEDY}"
            )
        return own

    def _follow_schema(self, entry: CatalogEntry) -> None:
        wanted = entry.schema.to_dict()
        if not wanted.get("properties"):
            raise SettingsError(
                f"the catalog has no fields of the stream {self.name}; make one with --discover"
            )
        own = self.schema
        if wanted == own:
            return
        properties = {**wanted["properties"]}
        for name, each in own["properties"].items():
            if name == EXTRA:  # a catalog may be older than the setting
                properties.setdefault(name, each)
            elif name in properties and not self.mask.get(("properties", name), True):
                properties[name] = each  # whatever it says: nobody wants it
        found = CatalogSchema(self.name, own, {**wanted, "properties": properties})
        if lost := sorted({*self.primary_keys} & {*found.missing}):
            raise SettingsError(
                f"the catalog lacks {', '.join(lost)} of the stream {self.name}, by which its rows "
                "are told from others; make one with --discover"
            )
        self.catalog_schema = found
        entry.schema = Schema.from_dict(found.schema)
        self._tell(found)

    def _tell(self, found: CatalogSchema) -> None:
        if missing := ", ".join(found.missing):
            self.logger.warning(
                "The catalog has no %s of %s, which is not delivered; --discover makes a newer one",
                missing,
                self.name,
            )
        for name in sorted({*found.unknown} - {EXTRA}):
            self.logger.warning(
                "The catalog has a field %s that %s has not%s; it is left out",
                name,
                self.name,
                hint(name, self.schema["properties"]),
            )


def _complete_metadata(metadata: MetadataMapping, names: Sequence[str]) -> None:
    """Let keys be selected with their stream; and a stream of which nothing is said, too."""
    if not metadata:  # then all of it is selected
        return
    metadata.setdefault((), StreamMetadata(selected=True))
    for name in names:
        metadata[("properties", name)].inclusion = Metadata.InclusionType.AUTOMATIC
