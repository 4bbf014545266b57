"""The businesses that the owner of the token is a member of.

FreshBooks knows a business by three identifiers, each for its own endpoints, and a
membership id that looks like one of them (`docs/freshbooks-api/auth.md §9`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_freshbooks.numerals import whole_number
from tap_freshbooks.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IDENTITY_PATH = "/auth/api/v1/users/me"

LONGEST_NAME = 200
"""Characters of a name in messages."""


class IdentifierKind(StrEnum):
    """The kind of identifier in an endpoint's path; its value is the name of a record's field."""

    ACCOUNT = "account_id"
    BUSINESS = "business_id"
    LEDGER = "business_uuid"


TEXT_IDENTIFIERS = (IdentifierKind.ACCOUNT, IdentifierKind.LEDGER)

LONGEST_IDENTIFIER = 64
IDENTIFIER = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_IDENTIFIER}}}")
"""Of a business, as far as it is text."""


class Unusable(NamedTuple):
    """An identifier that a business has, but none that can stand in a path.

    Attributes:
        kind: Which of them.
        found: What it is instead, for messages.
    """

    kind: IdentifierKind
    found: str


@dataclass(frozen=True, slots=True)
class Business:
    """A business that the identity is a member of.

    Attributes:
        business_id: For project-like endpoints; not the membership's id.
        account_id: For accounting endpoints; None without an accounting system.
        business_uuid: For the ledger; None in old responses.
        name: As FreshBooks shows it.
        role: The member's role; `client` is a customer of the business.
        accounting_roles: The roles in the accounting system of `account_id`.
        unusable: Identifiers that it has, but none that can stand in a path: what needs them cannot
            be read of it.
    """

    business_id: int
    account_id: str | None
    business_uuid: str | None
    name: str
    role: str
    accounting_roles: frozenset[str]
    unusable: tuple[Unusable, ...] = ()

    def __str__(self) -> str:
        """Name and id, as messages show a business."""
        return f"{self.name} (business {self.business_id})"

    @property
    def is_client_only(self) -> bool:
        """Whether the member is only a customer of the business: reads would be filtered.

        See `docs/freshbooks-api/auth.md §9`.
        """
        return self.role == "client" or self.accounting_roles == {"client"}

    def lacks_usable(self, kind: IdentifierKind) -> bool:
        """Whether it has an identifier of a kind, and that cannot be used."""
        return any(each.kind == kind for each in self.unusable)

    def identifier(self, kind: IdentifierKind) -> str | int | None:
        """The identifier of a kind, None if the business has none."""
        value: str | int | None = getattr(self, kind.value)
        return value


def read_businesses(me: Mapping[str, Any]) -> list[Business]:
    """Find the businesses in a response of users/me.

    Args:
        me: The `response` object of `/auth/api/v1/users/me`.

    Returns:
        Each business once, in FreshBooks' order.
    """
    by_id: dict[int, Business] = {}
    for business in _businesses(me):
        known = by_id.get(business.business_id)
        if known is None or known.is_client_only:  # several memberships: the one that reads most
            by_id[business.business_id] = business
    return list(by_id.values())


def user_of(me: Mapping[str, Any]) -> str:
    """Name and address of the user, as messages show them."""
    name = " ".join(filter(None, (_text(me.get(key)) for key in ("first_name", "last_name"))))
    address = _text(me.get("email")) or f"identity {whole_number(me.get('id'))}"
    return f"{name} ({address})" if name else address


def memberships(me: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The memberships that have a business with a whole number as its id."""
    return [each for each in _objects(me.get("business_memberships")) if _business_id(each)]


def unreadable_memberships(me: Mapping[str, Any]) -> int:
    """How many memberships name a business in a way that nobody knows."""
    listed = me.get("business_memberships") or []
    without = [each for each in _objects(listed) if each.get("business") is None]
    return len(listed) - len(without) - len(memberships(me))


def _business_id(membership: Mapping[str, Any]) -> int | None:
    business = membership.get("business")
    return whole_number(business.get("id")) if isinstance(business, dict) else None


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if values else []


def _text(value: Any) -> str:
    return printable(value[:LONGEST_NAME]) if isinstance(value, str) else ""


def _businesses(me: Mapping[str, Any]) -> Iterator[Business]:
    accounting_roles: dict[str, set[str]] = {}
    for role in _objects(me.get("roles")):
        accounting_roles.setdefault(_text(role.get("accountid")), set()).add(
            _text(role.get("role"))
        )
    for membership in memberships(me):
        business = membership["business"]
        texts = {kind: business.get(kind.value) or None for kind in TEXT_IDENTIFIERS}
        usable = {kind: each for kind, each in texts.items() if fits_path(each)}
        account_id = usable.get(IdentifierKind.ACCOUNT)
        yield Business(
            business_id=_business_id(membership) or 0,
            account_id=account_id,
            business_uuid=usable.get(IdentifierKind.LEDGER),
            name=_text(business.get("name")) or "unnamed business",
            role=_text(membership.get("role")),
            accounting_roles=frozenset(accounting_roles.get(account_id or "", ())),
            unusable=tuple(
                Unusable(kind, _kind_of(each))
                for kind, each in texts.items()
                if each is not None and kind not in usable
            ),
        )


def fits_path(value: Any) -> bool:
    """Whether an identifier can stand in the path of an endpoint, and leads nowhere else."""
    return isinstance(value, str) and bool(IDENTIFIER.fullmatch(value))


def _kind_of(value: Any) -> str:
    """What a value is, without saying what is in it."""
    if isinstance(value, str):
        if len(value) > LONGEST_IDENTIFIER:
            return f"a text of {len(value)} characters"
        return "a text with characters that lead elsewhere"
    return {dict: "an object", list: "a list", bool: "true or false"}.get(type(value), "a number")
