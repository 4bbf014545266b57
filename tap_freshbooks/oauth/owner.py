"""The FreshBooks user whose tokens a store holds, as users/me has named him last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from tap_freshbooks.businesses import LONGEST_IDENTIFIER, read_businesses
from tap_freshbooks.numerals import whole_number
from tap_freshbooks.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BUSINESSES = 200
"""How many businesses are remembered."""

NAMED_BUSINESSES = 3
"""How many of them a message names."""


@dataclass(frozen=True, slots=True)
class OwnBusiness:
    """A business of the user; the names of its identifiers are those of records."""

    business_id: int
    account_id: str | None
    business_uuid: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A FreshBooks user.

    Memberships come and go, the identity stays. No token answer names it, only users/me does
    (`docs/freshbooks-api/auth.md §4`, `docs/freshbooks-api/resources/identity.yaml`).

    Attributes:
        identity_id: Missing in odd answers only.
        identity_uuid: Missing in old answers.
        businesses: Those that the user may read, by their ids.
    """

    identity_id: int | None = None
    identity_uuid: str | None = None
    businesses: tuple[OwnBusiness, ...] = ()

    @classmethod
    def read(cls, me: Mapping[str, Any]) -> Self | None:
        """The user in the `response` object of users/me, None if it names none."""
        identity_id = whole_number(me.get("identity_id")) or whole_number(me.get("id"))
        uuid = me.get("identity_uuid")
        is_usable = isinstance(uuid, str) and 0 < len(uuid) <= LONGEST_IDENTIFIER
        identity_uuid = printable(str(uuid)).casefold() if is_usable else None
        if not identity_id and not identity_uuid:
            return None
        own = (each for each in read_businesses(me) if not each.is_client_only)
        businesses = sorted(
            (
                OwnBusiness(each.business_id, each.account_id, each.business_uuid, each.name)
                for each in own
            ),
            key=lambda business: business.business_id,
        )
        return cls(identity_id or None, identity_uuid, tuple(businesses[:MAX_BUSINESSES]))

    def __str__(self) -> str:
        """Identity and businesses, as messages show them."""
        identity = f"identity {self.identity_id or self.identity_uuid}"
        names = [business.name for business in self.businesses]
        more = len(names) - NAMED_BUSINESSES
        rest = f" and {more} more" if more > 0 else ""
        return f"{identity}: {', '.join(names[:NAMED_BUSINESSES])}{rest}" if names else identity

    def is_other_than(self, other: Owner) -> bool:
        """Whether the two are certainly not the same user."""
        if self.identity_id and other.identity_id:
            return self.identity_id != other.identity_id
        known = self.identity_uuid and other.identity_uuid
        return bool(known) and self.identity_uuid != other.identity_uuid

    def completed_by(self, former: Owner | None) -> Self:
        """The same user, with what an earlier answer has named and this one has not."""
        if former is None:
            return self
        return replace(
            self,
            identity_id=self.identity_id or former.identity_id,
            identity_uuid=self.identity_uuid or former.identity_uuid,
        )
