"""Parses a delivery: the fields of its form, and from them an event or a verification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tap_freshbooks.webhooks.inbox import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

VERIFICATION_EVENT = "callback.verify"

MAX_BODY_BYTES = 16_384
"""The bodies of FreshBooks have some hundred."""

MAX_ID_DIGITS = 18
"""Of a callback's id; more would not fit into a BIGINT."""

MAX_FIELDS = 32
"""The forms of FreshBooks have six fields, whose set and order are not certain."""

MAX_VALUE_LENGTH = 200
"""Characters of a value that is stored."""


class MalformedDeliveryError(ValueError):
    """A body that cannot be one of FreshBooks'."""


@dataclass(frozen=True, slots=True)
class Verification:
    """FreshBooks asks for its verifier, to see that we want the events of a callback."""

    callbackid: int
    verifier: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Verification({self.callbackid})"


def parse_form(body: bytes) -> dict[str, str]:
    """Parse the fields of a form, in their order.

    Raises:
        MalformedDeliveryError: If it is none, or has too many fields, or one of them twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise MalformedDeliveryError from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedDeliveryError
    return fields


def parse_delivery(fields: Mapping[str, str]) -> Event | Verification:
    """Make an event or a verification of a form (`docs/freshbooks-api/webhooks.md §3, §4`).

    Raises:
        MalformedDeliveryError: If a field that FreshBooks always sends is missing or not valid.
    """
    name, object_id = _text(fields, "name"), _text(fields, "object_id")
    if name == VERIFICATION_EVENT:
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) <= MAX_ID_DIGITS):
            raise MalformedDeliveryError
        return Verification(int(object_id), _text(fields, "verifier"))
    business_id = _text(fields, "business_id") if fields.get("business_id") else None
    return Event(_text(fields, "account_id"), name, object_id, business_id)


def _text(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value or len(value) > MAX_VALUE_LENGTH or not value.isprintable():
        raise MalformedDeliveryError
    return value
