"""The businesses that the owner of the token is a member of.

FreshBooks knows a business by three identifiers, each for its own endpoints, and a
membership id that looks like one of them (`docs/freshbooks-api/auth.md §9`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IDENTITY_PATH = "/auth/api/v1/users/me"


class IdentifierKind(StrEnum):
    """The kind of identifier in an endpoint's path; its value is the name of a record's field."""

    ACCOUNT = "account_id"
    BUSINESS = "business_id"
    LEDGER = "business_uuid"


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
    """

    business_id: int
    account_id: str | None
    business_uuid: str | None
    name: str
    role: str
    accounting_roles: frozenset[str]

    def __str__(self) -> str:
        """Name and id, as messages show a business."""
        return f"{self.name} (business {self.business_id})"

    @property
    def is_client_only(self) -> bool:
        """Whether the member is only a customer of the business: reads would be filtered.

        See `docs/freshbooks-api/auth.md §9`.
        """
        return self.role == "client" or self.accounting_roles == {"client"}

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


def memberships(me: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The memberships that have a business with an integer id."""
    return [
        membership
        for membership in _objects(me.get("business_memberships"))
        if isinstance(membership.get("business"), dict)
        and isinstance(membership["business"].get("id"), int)
    ]


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values or [] if isinstance(value, dict)]


def _businesses(me: Mapping[str, Any]) -> Iterator[Business]:
    accounting_roles: dict[str, set[str]] = {}
    for role in _objects(me.get("roles")):
        accounting_roles.setdefault(str(role.get("accountid")), set()).add(str(role.get("role")))
    for membership in memberships(me):
        business = membership["business"]
        account_id = business.get("account_id") or None
        yield Business(
            business_id=int(business["id"]),
            account_id=account_id,
            business_uuid=business.get("business_uuid") or None,
            name=str(business.get("name") or "unnamed business"),
            role=str(membership.get("role") or ""),
            accounting_roles=frozenset(accounting_roles.get(str(account_id), ())),
        )
