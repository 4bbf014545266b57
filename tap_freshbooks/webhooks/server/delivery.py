"""What a delivery says: the fields of its form, as an event or a verification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tap_freshbooks.webhooks.inbox import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

VERIFY = "callback.verify"

MOST_BYTES = 16_384
"""Of a body; those of FreshBooks have some hundred."""

MOST_FIELDS = 32
"""Of a form; those of FreshBooks have six, whose set and order are not certain."""

LONGEST = 200
"""Characters of a value that is kept."""


class Malformed(ValueError):  # noqa: N818 - says what the body is
    """A body that cannot be one of FreshBooks'."""


@dataclass(frozen=True, slots=True)
class Verification:
    """FreshBooks asks whether we want the events of a callback."""

    callbackid: int
    verifier: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Verification({self.callbackid})"


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form, in their order.

    Raises:
        Malformed: If it is none, or has too many fields, or one of them twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Malformed from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed
    return fields


def understand(fields: Mapping[str, str]) -> Event | Verification:
    """What a form says (`docs/freshbooks-api/webhooks.md §3, §4`).

    Raises:
        Malformed: If something is missing that each of FreshBooks' has, or makes no sense.
    """
    name, object_id = _text(fields, "name"), _text(fields, "object_id")
    if name == VERIFY:
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) <= 18):  # noqa: PLR2004 - BIGINT
            raise Malformed
        return Verification(int(object_id), _text(fields, "verifier"))
    business_id = _text(fields, "business_id") if fields.get("business_id") else None
    return Event(_text(fields, "account_id"), name, object_id, business_id)


def _text(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value or len(value) > LONGEST or not value.isprintable():
        raise Malformed
    return value
