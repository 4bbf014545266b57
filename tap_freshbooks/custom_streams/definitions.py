"""Streams of the setting `custom_streams`: endpoints that this release does not know.

A custom stream is a class of the family that its path belongs to, so it is partitioned, paged,
filtered, throttled and bookmarked as every other stream of that family.
"""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.custom_streams import checks
from tap_freshbooks.errors import FreshBooksError, NotFoundError, PermissionDeniedError
from tap_freshbooks.extraction.list_endpoint import ListEndpoint
from tap_freshbooks.extraction.pagination import read_pages
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.records import DELETED_AT, EXTRA
from tap_freshbooks.schema.inference import fields_from_records
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.families import AccountingStream, LedgerStream, ProjectStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.timestamps import EASTERN, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.custom_streams.checks import Definition
    from tap_freshbooks.extraction.pagination import Page
    from tap_freshbooks.schema.fields import Object
    from tap_freshbooks.streams.base import RecordStream

logger = logging.getLogger("tap-freshbooks")

SAMPLED_PAGES = 2
"""Pages of each business from which a schema is inferred."""

FAMILIES: dict[IdentifierKind, type[ListStream]] = {
    IdentifierKind.ACCOUNT: AccountingStream,
    IdentifierKind.BUSINESS: ProjectStream,
    IdentifierKind.LEDGER: LedgerStream,
}

BUILT_IN = {stream.name: stream for stream in STREAMS}

ATTRIBUTES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "path": ("path", str),
    "oauth_scope": ("oauth_scope", str),
    "records_path": ("records", lambda path: tuple(path.split("."))),
    "primary_keys": ("key", lambda names: tuple(dict.fromkeys(names))),
    "query": ("query", dict),
    "headers": ("headers", dict),
    "paging": ("page_metadata_known", lambda paging: paging == "metadata"),
}
"""Per keyword the attribute of a stream class that it sets, and the conversion of its value."""


def stream_classes(
    settings: Sequence[Mapping[str, Any]],
    connection: Callable[[], Connection],
    catalog: Mapping[str, Mapping[str, Any]],
) -> list[type[RecordStream]]:
    """All streams of the tap: those built in, perhaps overridden, and the user's own.

    Args:
        settings: The setting `custom_streams`.
        connection: To ask for rows where a schema has to be inferred.
        catalog: Schemas that a catalog has of streams, by name; they are not inferred again.

    Raises:
        SettingsError: If an entry makes no sense; the sentence says what to change.
        FreshBooksError: If rows were to be read, and could not be.
    """
    classes: dict[str, type[RecordStream]] = dict(BUILT_IN)
    for definition in checks.definitions(settings):
        name, overrides = definition.name, definition.values.get("override")
        if name not in BUILT_IN:
            if overrides:
                raise definition.error("there is no stream of this name to override")
            classes[name] = _new_stream(definition, connection, catalog.get(name))
        elif overrides:
            classes[name] = _overridden(definition)
        else:
            raise definition.error(
                "a stream of this name is built in; rename yours, or say `override: true` to "
                "change the one that is there"
            )
    return [_with_current_source(stream, classes) for stream in classes.values()]


def _attributes(definition: Definition) -> dict[str, Any]:
    """The attributes of a stream class that the user sets."""
    return {
        attribute: convert(definition.values[keyword])
        for keyword, (attribute, convert) in ATTRIBUTES.items()
        if definition.values.get(keyword)
    }


# A stream of the user's own


def _new_stream(
    definition: Definition,
    connection: Callable[[], Connection],
    catalog_schema: Mapping[str, Any] | None,
) -> type[RecordStream]:
    values = definition.values
    for keyword in ("path", "records_path"):
        if not values.get(keyword):
            raise definition.error(f"{keyword} is missing")
    identifier = checks.identifier_of_path(definition)
    checks.check_filter(definition, identifier)
    family = FAMILIES[identifier]
    attributes = {
        "__doc__": "A stream of the setting custom_streams.",
        "name": definition.name,
        "identifier_kind": identifier,
        "key": ("id",),
        "paged": False,  # one page is all, where an answer says nothing and the user neither
        "oauth_scope": "unknown, as it is a custom stream",
        "timestamp_field": values.get("replication_key") or None,
        **_replication(definition, identifier),
        **_attributes(definition),
    }
    bare = type(definition.name, (family,), {**attributes, "marks_deletions": False})
    fields = _fields(definition, bare, connection, catalog_schema)
    deletions = checks.deletions_of(definition, identifier, fields)
    checks.check_fields(definition, fields, deletions)
    attributes["fields"] = fields
    attributes["marks_deletions"] = deletions in checks.DELETION_FIELDS.values()
    if values.get("queries"):
        attributes["list_queries"] = _filtered(values["queries"])
        attributes["deleted_queries"] = _filtered(())
    elif deletions == "active":
        attributes["deleted_queries"] = _filtered([{"active": "false"}], are_deleted=True)
    bases = (HardDeleteStream, family) if deletions == checks.HARD_DELETES else (family,)
    return type(definition.name, bases, attributes)


def _filtered(
    queries: Sequence[Mapping[str, Any]], *, are_deleted: bool = False
) -> Callable[[Any, datetime | None], Iterator[dict[str, Any]]]:
    """A method that gives the queries of some lists, each with its filter by change."""

    def filtered(self: Any, since: datetime | None) -> Iterator[dict[str, Any]]:
        if self.config["include_deleted"] or not are_deleted:
            changed = self.filter_query(since)
            yield from ({**changed, **query} for query in queries)

    return filtered


def _replication(definition: Definition, identifier: IdentifierKind) -> dict[str, Any]:
    parameter = definition.values.get("filter")
    if not parameter:
        is_compared = bool(definition.values.get("replication_key"))
        return {"replication": Replication.CLIENT_FILTER if is_compared else Replication.FULL_TABLE}

    def changed_since(since: datetime) -> dict[str, str]:
        # As the family of the path spells it (`docs/freshbooks-api/accounting.md §4`,
        # `docs/freshbooks-api/projects-and-time.md §3`).
        if identifier is IdentifierKind.ACCOUNT:
            return {parameter: since.astimezone(EASTERN).date().isoformat()}
        return {parameter: utc_text(since.replace(microsecond=0))}

    return {"replication": Replication.SERVER_FILTER, "changed_since": staticmethod(changed_since)}


def _fields(
    definition: Definition,
    bare: type[ListStream],
    connection: Callable[[], Connection],
    catalog_schema: Mapping[str, Any] | None,
) -> Object:
    eastern = bare.identifier_kind is IdentifierKind.ACCOUNT
    schema = definition.values.get("schema")
    if schema is None and catalog_schema is not None:
        added = {bare.identifier_kind.value, DELETED_AT, EXTRA}
        properties = catalog_schema.get("properties") or {}
        schema = {name: each for name, each in properties.items() if name not in added}
    if schema is not None:
        return definition.fields(schema, eastern=eastern)
    rows = list(_sample(bare, connection()))
    if not rows:
        raise definition.error(
            "it has no rows to infer a schema from; describe its fields in `schema`"
        )
    logger.warning(
        "custom_streams, %s: its schema is inferred from %d rows, and fields that those do not "
        "have are left out; describe them in `schema` to be sure",
        definition.name,
        len(rows),
    )
    return fields_from_records(rows, eastern=eastern)


def _sample(bare: type[ListStream], connection: Connection) -> Iterator[dict[str, Any]]:
    endpoint = ListEndpoint(
        name=bare.name,
        path=bare.path,
        identifier_kind=bare.identifier_kind,
        records=bare.records,
        client=connection.client,
        stats=StreamStats(bare.name),
        query=bare.query,
        headers=bare.headers,
        page_parameters=bare.page_parameters,
    )
    failures, has_rows = [], False
    for business in connection.businesses_with(bare.identifier_kind):
        try:
            for page in islice(_pages(endpoint, business), SAMPLED_PAGES):
                has_rows |= bool(page.rows)
                yield from page.rows
        except FreshBooksError as error:
            logger.warning("No schema can be inferred from %s", error)
            if not isinstance(error, PermissionDeniedError | NotFoundError):
                failures.append(error)
    if failures and not has_rows:
        raise failures[0]


def _pages(endpoint: ListEndpoint, business: Business) -> Iterator[Page]:
    def ask(number: int) -> InlineFuture[Page]:
        return InlineFuture(lambda: endpoint.fetch_page(business, {}, number))

    return read_pages(ask)


# A built-in stream that is overridden


def _overridden(definition: Definition) -> type[RecordStream]:
    base, values = BUILT_IN[definition.name], definition.values
    if issubclass(base, DerivedStream):
        raise definition.error("this stream is derived from another; override that one")
    if not issubclass(base, ListStream):
        raise definition.error("this stream is no list of a business; it cannot be overridden")
    for keyword in ("replication_key", "filter", "deletions", "queries", "identifier"):
        if values.get(keyword):
            raise definition.error(
                f"{keyword} of a built-in stream cannot be overridden; define one with another name"
            )
    if values.get("path") and checks.identifier_of_path(definition) is not base.identifier_kind:
        raise definition.error(f"its path needs {{{base.identifier_kind.value}}}")
    attributes = {"__doc__": base.__doc__, **_attributes(definition)}
    for name in ("query", "headers"):
        attributes[name] = {**getattr(base, name), **attributes.get(name, {})}
    if values.get("schema"):
        attributes["fields"] = base.fields | _added_fields(definition, base)
    overridden: type[ListStream] = type(definition.name, (base,), attributes)
    for name in overridden.key:
        if name not in overridden.fields.fields:
            raise definition.error(f"its rows have no field {name}, which primary_keys name")
    checks.check_keys(definition, overridden.fields)
    return overridden


def _added_fields(definition: Definition, base: type[ListStream]) -> Object:
    """The fields that the user adds to a built-in stream."""
    eastern = base.identifier_kind is IdentifierKind.ACCOUNT
    added = definition.fields(definition.values["schema"], eastern=eastern)
    if known := sorted(added.fields.keys() & base.fields.fields.keys()):
        raise definition.error(
            f"its schema can add fields; {', '.join(known)} is there already, leave it out"
        )
    return added


def _with_current_source(
    stream: type[RecordStream], classes: Mapping[str, type[RecordStream]]
) -> type[RecordStream]:
    """The stream; a derived one is made anew if its source is overridden."""
    if not issubclass(stream, DerivedStream) or classes[stream.source.name] is stream.source:
        return stream
    attributes = {"__doc__": stream.__doc__, "source": classes[stream.source.name]}
    return type(stream.name, (stream,), attributes)
