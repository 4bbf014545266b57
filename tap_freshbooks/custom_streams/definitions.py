"""Streams of the setting `custom_streams`: an endpoint that this release does not know.

A custom stream is a class of the family that its path belongs to, so it is partitioned, paged,
filtered, throttled and bookmarked as every other stream of that family.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.config.settings import phrases
from tap_freshbooks.custom_streams.setting import CUSTOM_STREAMS
from tap_freshbooks.errors import NotFoundError, PermissionDeniedError, SettingsError
from tap_freshbooks.extraction.list_endpoint import ListEndpoint
from tap_freshbooks.extraction.pagination import read_pages
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.schema.inference import fields_from_records, fields_from_schema
from tap_freshbooks.singer.stats import StreamStats
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.families import AccountingStream, LedgerStream, ProjectStream
from tap_freshbooks.streams.hard_deletes import HardDeleteStream
from tap_freshbooks.streams.list_stream import LOOKBACK, ListStream
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.streams.resources.path_identifiers import unknown_placeholder, wanted_identifier
from tap_freshbooks.timestamps import EASTERN, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
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

USUAL_DELETIONS = {IdentifierKind.ACCOUNT: "vis_state", IdentifierKind.BUSINESS: "active"}
"""The field by which a family tells deleted rows."""

BUILT_IN = {stream.name: stream for stream in STREAMS}

ATTRIBUTES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "path": ("path", str),
    "oauth_scope": ("oauth_scope", str),
    "records": ("records", lambda path: tuple(path.split("."))),
    "keys": ("key", tuple),
    "query": ("query", dict),
    "headers": ("headers", dict),
    "paging": ("page_metadata_known", lambda how: how == "metadata"),
}
"""What the setting calls the attributes of a stream class, and how it spells them."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One entry of the setting.

    Attributes:
        name: Of the stream.
        given: What the user says of it.
    """

    name: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def mistake(self, sentence: str) -> SettingsError:
        """An error that names the stream."""
        return SettingsError(f"custom_streams, {self.name}: {sentence}")


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
    schema = {"properties": CUSTOM_STREAMS.to_dict()}
    if problems := phrases({"custom_streams": settings}, schema):
        raise SettingsError(f"wrong settings: {'; '.join(problems)}")
    classes: dict[str, type[RecordStream]] = dict(BUILT_IN)
    seen = set()
    for given in settings:
        definition = Definition(given["name"], given)
        if definition.name in seen:
            raise definition.mistake("two entries have this name; rename one")
        seen.add(definition.name)
        if definition.name.startswith("unified_"):
            raise definition.mistake(
                "names with unified_ belong to the unified model, which the setting "
                "unified_mappings changes; rename yours"
            )
        if definition.name not in BUILT_IN:
            if given.get("override"):
                raise definition.mistake("there is no stream of this name to override")
            classes[definition.name] = _own(definition, connection, catalog.get(definition.name))
        elif given.get("override"):
            classes[definition.name] = _override(definition)
        else:
            raise definition.mistake(
                "a stream of this name is built in; rename yours, or say `override: true` to "
                "change the one that is there"
            )
    return [_fed_by(stream, classes) for stream in classes.values()]


def _spelled(definition: Definition) -> dict[str, Any]:
    """What the user says of a stream, as attributes of its class."""
    return {
        attribute: convert(definition.given[name])
        for name, (attribute, convert) in ATTRIBUTES.items()
        if definition.given.get(name)
    }


def _described(definition: Definition, schema: Any, *, eastern: bool) -> Object:
    try:
        return fields_from_schema(schema, eastern=eastern)
    except ValueError as error:
        raise definition.mistake(f"its schema does not fit: {error}") from None


# A stream of the user's own


def _own(
    definition: Definition,
    connection: Callable[[], Connection],
    catalog_schema: Mapping[str, Any] | None,
) -> type[RecordStream]:
    given = definition.given
    for name in ("path", "records"):
        if not given.get(name):
            raise definition.mistake(f"{name} is missing")
    scope = _scope(definition)
    family = FAMILIES[scope]
    attributes = {
        "__doc__": "A stream of the setting custom_streams.",
        "name": definition.name,
        "identifier_kind": scope,
        "key": ("id",),
        "oauth_scope": "unknown, as it is a custom stream",
        "timestamp_field": given.get("stamp"),
        **_replication(definition, scope),
        **_spelled(definition),
    }
    bare = type(definition.name, (family,), {**attributes, "marks_deletions": False})
    fields = _fields(definition, bare, scope, connection, catalog_schema)
    deletions = given.get("deletions") or _usual_deletions(scope, fields)
    if USUAL_DELETIONS.get(scope) != deletions and deletions in USUAL_DELETIONS.values():
        raise definition.mistake(
            f"deletions by {deletions} are not those of paths with a {scope.value}; say "
            f"{USUAL_DELETIONS.get(scope, 'vanish')} or none"
        )
    _check_fields(definition, fields, deletions)
    bases = (HardDeleteStream, family) if deletions == "vanish" else (family,)
    attributes |= {"fields": fields, "marks_deletions": deletions in {"vis_state", "active"}}
    if given.get("passes"):
        attributes["list_queries"] = _list_queries(given["passes"])
    elif deletions == "active":
        attributes["list_queries"] = _list_queries([{}], deleted={"active": "false"})
    return type(definition.name, bases, attributes)


def _list_queries(
    queries: Sequence[Mapping[str, Any]], deleted: Mapping[str, Any] | None = None
) -> Callable[[Any, datetime | None], Iterator[dict[str, Any]]]:
    """A method that gives the lists of a stream, each with its filter by change."""

    def list_queries(self: Any, since: datetime | None) -> Iterator[dict[str, Any]]:
        changed = {}
        if since is not None and self.replication is Replication.SERVER_FILTER:
            changed = self.changed_since(since - LOOKBACK)
        wanted = [*queries, *([deleted] if deleted and self.config["include_deleted"] else [])]
        yield from ({**changed, **query} for query in wanted)

    return list_queries


def _scope(definition: Definition) -> IdentifierKind:
    """The identifier that the path has, and wants."""
    path, named = definition.given["path"], definition.given.get("scope")
    names = ", ".join(scope.value for scope in IdentifierKind)
    if (name := unknown_placeholder(path)) is not None:
        raise definition.mistake(f"{{{name}}} in its path is none of {names}")
    placeholders = [scope for scope in IdentifierKind if f"{{{scope.value}}}" in path]
    if len(placeholders) != 1 or path.count("{") != 1:
        raise definition.mistake(f"its path needs one of {names} in braces, once")
    [scope] = placeholders
    if named is not None and named not in set(IdentifierKind):
        raise definition.mistake(f"its scope {named!r} is none of {names}")
    if named is not None and named != scope:
        raise definition.mistake(
            f"its scope is {named}, but its path has {{{scope.value}}}; change one of them"
        )
    wanted, found = wanted_identifier(path)
    if wanted is not None and wanted is not scope:
        raise definition.mistake(
            f"its path wants the {wanted.value}, not {found}; write {{{wanted.value}}} there"
        )
    return scope


def _replication(definition: Definition, scope: IdentifierKind) -> dict[str, Any]:
    parameter, stamp = definition.given.get("filter"), definition.given.get("stamp")
    if not parameter:
        kind = Replication.CLIENT_FILTER if stamp else Replication.FULL_TABLE
        return {"replication": kind}
    if scope is IdentifierKind.LEDGER:
        raise definition.mistake("no filter is known for paths with a business_uuid; leave it out")
    if not stamp:
        raise definition.mistake(
            "with a filter it needs a stamp too: the field that says when a row changed"
        )

    def changed_since(since: datetime) -> dict[str, str]:
        # As the family of the path spells it (`docs/freshbooks-api/accounting.md §4`,
        # `docs/freshbooks-api/projects-and-time.md §3`).
        if scope is IdentifierKind.ACCOUNT:
            return {parameter: since.astimezone(EASTERN).date().isoformat()}
        return {parameter: utc_text(since.replace(microsecond=0))}

    return {"replication": Replication.SERVER_FILTER, "changed_since": staticmethod(changed_since)}


def _usual_deletions(scope: IdentifierKind, fields: Object) -> str:
    usual = USUAL_DELETIONS.get(scope)
    return usual if usual in fields.fields else "none"


def _check_fields(definition: Definition, fields: Object, deletions: str) -> None:
    needed = [*(definition.given.get("keys") or ["id"])]
    needed += [definition.given["stamp"]] if definition.given.get("stamp") else []
    needed += [deletions] if deletions in {"vis_state", "active"} else []
    for name in needed:
        if name not in fields.fields:
            known = ", ".join(sorted(fields.fields))
            raise definition.mistake(
                f"its rows have no field {name}, which keys, stamp or deletions name; they have "
                f"{known}"
            )


def _fields(
    definition: Definition,
    bare: type[ListStream],
    scope: IdentifierKind,
    connection: Callable[[], Connection],
    catalog_schema: Mapping[str, Any] | None,
) -> Object:
    eastern = scope is IdentifierKind.ACCOUNT
    schema = definition.given.get("schema")
    if schema is None and catalog_schema is not None:
        added = {scope.value, "_sdc_deleted_at"}
        properties = catalog_schema.get("properties") or {}
        schema = {name: each for name, each in properties.items() if name not in added}
    if schema is not None:
        return _described(definition, schema, eastern=eastern)
    rows = list(_sample(bare, connection()))
    if not rows:
        raise definition.mistake(
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
    for business in connection.businesses_with(bare.identifier_kind):
        try:
            for page in islice(_pages(endpoint, business), SAMPLED_PAGES):
                yield from page.rows
        except (PermissionDeniedError, NotFoundError) as error:
            logger.warning("No schema can be inferred from %s", error)


def _pages(endpoint: ListEndpoint, business: Business) -> Iterator[Page]:
    def ask(number: int) -> InlineFuture[Page]:
        return InlineFuture(lambda: endpoint.fetch_page(business, {}, number))

    return read_pages(ask)


# A built-in stream that is overridden


def _override(definition: Definition) -> type[RecordStream]:
    base, given = BUILT_IN[definition.name], definition.given
    if issubclass(base, DerivedStream):
        raise definition.mistake("this stream is derived from another; override that one")
    if not issubclass(base, ListStream):
        raise definition.mistake("this stream is no list of a business; it cannot be overridden")
    for name in ("stamp", "filter", "deletions", "passes", "scope"):
        if given.get(name):
            raise definition.mistake(
                f"{name} of a built-in stream cannot be overridden; define one with another name"
            )
    if given.get("path") and _scope(definition) is not base.identifier_kind:
        raise definition.mistake(f"its path needs {{{base.identifier_kind.value}}}")
    attributes = {"__doc__": base.__doc__, **_spelled(definition)}
    for name in ("query", "headers"):
        attributes[name] = {**getattr(base, name), **attributes.get(name, {})}
    if given.get("schema"):
        attributes["fields"] = base.fields | _added(definition, base)
    overridden: type[ListStream] = type(definition.name, (base,), attributes)
    for name in overridden.key:
        if name not in overridden.fields.fields:
            raise definition.mistake(f"its rows have no field {name}, which keys name")
    return overridden


def _added(definition: Definition, base: type[ListStream]) -> Object:
    """The fields that the user adds to a built-in stream."""
    schema = definition.given["schema"]
    added = _described(definition, schema, eastern=base.identifier_kind is IdentifierKind.ACCOUNT)
    if known := sorted(added.fields.keys() & base.fields.fields.keys()):
        raise definition.mistake(
            f"its schema can add fields; {', '.join(known)} is there already, leave it out"
        )
    return added


def _fed_by(
    stream: type[RecordStream], classes: Mapping[str, type[RecordStream]]
) -> type[RecordStream]:
    """A derived stream, of the source that there is now."""
    if not issubclass(stream, DerivedStream) or classes[stream.source.name] is stream.source:
        return stream
    attributes = {"__doc__": stream.__doc__, "source": classes[stream.source.name]}
    return type(stream.name, (stream,), attributes)
