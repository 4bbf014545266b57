"""Every field that the facts list is declared by its stream, with a type that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.schema.fields import AnyJson, Array, Excluded, Object, Scalar
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.families import AccountingStream
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.streams.resources.report_spending import WholeReport
from tests.facts import fields_of, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.schema.fields import Field
    from tap_freshbooks.streams.base import RecordStream

ASKED = [stream for stream in STREAMS if not issubclass(stream, (DerivedStream, WholeReport))]

OTHERWISE = {
    "payments.transactionid",  # text for some gateways
    "projects.budget",  # "50.00" in a test of the official SDK
}
"""Fields whose type is wider than the facts have it."""

JSON_TYPES = {"string": "string", "integer": "integer", "boolean": "boolean", "number": "string"}
"""The type that a value of FreshBooks has in a record: exact numbers are text."""


def facts_of(stream: type[RecordStream]) -> dict[str, Any]:
    """The fields that the answers to a stream's requests can have."""
    facts = fields_of(read(stream.name))
    if stream.name == "businesses":  # membership and business in one
        business = facts["business"]["properties"]
        return {
            **{name: each for name, each in facts.items() if name not in {"id", "business"}},
            **{name: each for name, each in business.items() if name != "id"},
            "business_id": business["id"],
            "membership_id": facts["id"],
        }
    included = stream.includes if issubclass(stream, AccountingStream) else ()
    return {
        name: each
        for name, each in facts.items()
        if "only_with_include" not in each or each["only_with_include"] in included
    }


def parts_of(fact: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object, or of the objects in a list."""
    items = fact.get("items") or {}
    short = (
        items if "type" not in items and all(isinstance(v, dict) for v in items.values()) else {}
    )
    found: dict[str, Any] = fact.get("properties") or items.get("properties") or short
    return found


def types_of(fact: dict[str, Any]) -> set[str]:
    kinds = fact["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds)


def differences(facts: dict[str, Any], fields: dict[str, Field], path: str) -> Iterator[str]:
    for name, fact in facts.items():
        place = f"{path}.{name}"
        if name not in fields:
            yield f"{place} is missing"
            continue
        field = fields[name]
        is_list = types_of(fact) == {"array"}
        while isinstance(field, Array):
            field, is_list = field.item, False
        if isinstance(field, Object):
            yield from differences(parts_of(fact), field.fields, place)
        elif isinstance(field, AnyJson):
            if not types_of(fact) <= set(field.json_types):
                yield f"{place} is not {field.json_types}"
        elif isinstance(field, Scalar) and place not in OTHERWISE:
            items = fact.get("items", {}).get("type")
            kinds = {items} if items else types_of(fact)
            if is_list or field.json_type not in {JSON_TYPES.get(kind) for kind in kinds}:
                yield f"{place} is no {field.json_type}"
        else:
            assert isinstance(field, Excluded) or place in OTHERWISE


@pytest.mark.parametrize("stream", ASKED)
def test_a_stream_declares_what_the_facts_list(stream: type[RecordStream]) -> None:
    assert list(differences(facts_of(stream), stream.fields.fields, stream.name)) == []


def test_a_field_that_is_missing_or_of_another_type_is_found() -> None:
    facts = {
        "id": {"type": "integer"},
        "lines": {"type": "array", "items": {"properties": {"qty": {"type": "string"}}}},
        "owner": {"type": "object", "properties": {"fax": {"type": "string"}}},
        "map": {"type": ["object", "array"]},
        "names": {"type": "array"},
    }
    invoices = next(each for each in ASKED if each.name == "invoices").fields.fields
    fields: dict[str, Field] = {
        "id": invoices["notes"],
        "lines": Array(Object(id=invoices["id"])),
        "owner": Object(),
        "map": AnyJson(),
        "names": invoices["notes"],
    }
    assert list(differences(facts, fields, "it")) == [
        "it.id is no string",
        "it.lines.qty is missing",
        "it.owner.fax is missing",
        "it.map is not ('object',)",
        "it.names is no string",
    ]


def test_what_is_included_on_demand_is_declared_only_where_it_is_asked_for() -> None:
    by_name = {stream.name: stream for stream in ASKED}
    assert "payment_schedule" in facts_of(by_name["invoices"])
    assert "system" not in facts_of(by_name["invoices"])
    assert "client" not in facts_of(by_name["payments"])
