"""One entry of the setting `custom_streams`, and the checks that a JSON schema cannot express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.config.validation import schema_errors
from tap_freshbooks.custom_streams.setting import CUSTOM_STREAMS
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.schema.inference import fields_from_schema
from tap_freshbooks.streams.resources.path_identifiers import unknown_placeholder, wanted_identifier
from tap_freshbooks.transport.sendable import flaw_of_path, is_header_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_freshbooks.schema.fields import Object

HARD_DELETES = "hard_deletes"

DELETION_FIELDS = {IdentifierKind.ACCOUNT: "vis_state", IdentifierKind.BUSINESS: "active"}
"""The field by which a family marks deleted rows."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One entry of the setting.

    Attributes:
        name: Of the stream.
        values: Of its keywords.
    """

    name: str
    values: Mapping[str, Any]

    def error(self, sentence: str) -> SettingsError:
        """An error that names the stream."""
        return SettingsError(f"custom_streams, {self.name}: {sentence}")

    def fields(self, schema: Any, *, eastern: bool) -> Object:
        """The fields of a JSON schema.

        Raises:
            SettingsError: If it cannot be read.
        """
        try:
            return fields_from_schema(schema, eastern=eastern)
        except ValueError as error:
            raise self.error(f"its schema does not fit: {error}") from None
        except RecursionError:
            raise self.error("its schema is nested too deeply") from None


def definitions(settings: Sequence[Mapping[str, Any]]) -> Iterator[Definition]:
    """The entries of the setting.

    Raises:
        SettingsError: If an entry has the wrong form, or its name cannot be used.
    """
    schema = {"properties": CUSTOM_STREAMS.to_dict()}
    if problems := schema_errors({"custom_streams": settings}, schema):
        raise SettingsError(f"wrong settings: {'; '.join(problems)}")
    names = set()
    for values in settings:
        definition = Definition(values["name"], values)
        if not definition.name.isprintable():  # `$` of a pattern lets a line end be
            raise definition.error("its name ends with a line; take that out")
        if definition.name in names:
            raise definition.error("two entries have this name; rename one")
        names.add(definition.name)
        check_request(definition)
        if definition.name.startswith("unified_"):
            raise definition.error(
                "names with unified_ belong to the unified model, which the setting "
                "unified_mappings changes; rename yours"
            )
        yield definition


def check_request(definition: Definition) -> None:
    """What a request is made of can be sent, and is nothing that the tap sets itself.

    Raises:
        SettingsError: If not; requests would fail, each of them after all its tries.
    """
    values = definition.values
    path = values.get("path") or "/"
    if flaw := flaw_of_path(path, "`query`"):
        raise definition.error(f"its path {flaw}")
    for name, value in (values.get("headers") or {}).items():
        if not is_header_name(name):
            raise definition.error(f"its header {name!r} cannot be set")
        if not value.isprintable() or value != value.strip():
            raise definition.error(f"the value of its header {name} has blanks or lines around it")
    for query in (values.get("query") or {}, *(values.get("queries") or ())):
        for name, value in query.items():
            parts = value if isinstance(value, list) else [value]
            if not name or any(isinstance(each, dict | list) or each is None for each in parts):
                raise definition.error(
                    f"the parameter {name!r} of its query must be a text, a number or a list"
                )


def identifier_of_path(definition: Definition) -> IdentifierKind:
    """The identifier in the path, which must be the one that the endpoint wants.

    Raises:
        SettingsError: If it is not, or if there is none.
    """
    path, named = definition.values["path"], definition.values.get("identifier")
    names = ", ".join(kind.value for kind in IdentifierKind)
    if (name := unknown_placeholder(path)) is not None:
        raise definition.error(f"{{{name}}} in its path is none of {names}")
    placeholders = [kind for kind in IdentifierKind if f"{{{kind.value}}}" in path]
    if len(placeholders) != 1 or path.count("{") != 1:
        raise definition.error(f"its path needs one of {names} in braces, once")
    [identifier] = placeholders
    if named is not None and named not in set(IdentifierKind):
        raise definition.error(f"its identifier {named!r} is none of {names}")
    if named is not None and named != identifier:
        raise definition.error(
            f"its identifier is {named}, but its path has {{{identifier.value}}}; change one of "
            "them"
        )
    wanted, found = wanted_identifier(path)
    if wanted is not None and wanted is not identifier:
        raise definition.error(
            f"its path wants the {wanted.value}, not {found}; write {{{wanted.value}}} there"
        )
    return identifier


def check_filter(definition: Definition, identifier: IdentifierKind) -> None:
    """A filter needs a family that has one, and the field that it filters by.

    Raises:
        SettingsError: If something is missing.
    """
    if not definition.values.get("filter"):
        return
    if identifier is IdentifierKind.LEDGER:
        raise definition.error("no filter is known for paths with a business_uuid; leave it out")
    if not definition.values.get("replication_key"):
        raise definition.error(
            "with a filter it needs a replication_key too: the field that says when a row changed"
        )


def deletions_of(definition: Definition, identifier: IdentifierKind, fields: Object) -> str:
    """The way in which FreshBooks shows deletions: as the keyword says, else as the fields suggest.

    Raises:
        SettingsError: If this family does not show them so.
    """
    field = DELETION_FIELDS.get(identifier)
    deletions = definition.values.get("deletions")
    if not deletions:
        return field if field in fields.fields else "none"
    if deletions in DELETION_FIELDS.values() and deletions != field:
        raise definition.error(
            f"deletions by {deletions} are not those of paths with a {identifier.value}; say "
            f"{field or HARD_DELETES} or none"
        )
    return str(deletions)


def check_fields(definition: Definition, fields: Object, deletions: str) -> None:
    """Rows have the fields that keywords name, and these can be what they are named for.

    Raises:
        SettingsError: If not.
    """
    values = definition.values
    changed = values.get("replication_key")
    needed = [*(values.get("primary_keys") or ["id"]), *([changed] if changed else [])]
    needed += [deletions] if deletions in DELETION_FIELDS.values() else []
    for name in needed:
        if name not in fields.fields:
            raise definition.error(
                f"its rows have no field {name}, which primary_keys, replication_key or deletions "
                f"name; they have {', '.join(sorted(fields.fields))}"
            )
    check_keys(definition, fields)
    if changed and fields.fields[changed].schema().get("format") != "date-time":
        raise definition.error(
            f"its replication_key {changed} is no date-time: it cannot say when a row changed. "
            "Name another field, or describe this one in `schema`, if it is one all the same"
        )


def check_keys(definition: Definition, fields: Object) -> None:
    """The keys of rows are values that a table can have as keys.

    Raises:
        SettingsError: If not.
    """
    for name in definition.values.get("primary_keys") or ():
        kinds = {"object", "array"}.intersection(fields.fields[name].schema()["type"])
        if kinds:
            raise definition.error(
                f"{name} cannot be one of its primary_keys: it is an {kinds.pop()}; name fields "
                "that are texts or numbers"
            )
