"""The account that a login has connected: user, businesses, and what the token may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tap_freshbooks.businesses import Business, read_businesses, user_of
from tap_freshbooks.login.scopes import missing_scopes, selected_streams
from tap_freshbooks.streams.base import RecordStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.tap import TapFreshBooks

MissingScopes = dict[tuple[str, ...], list[str]]
"""Names of streams by the scopes that the token lacks for them."""


@dataclass(frozen=True, slots=True)
class Account:
    """A FreshBooks user who has authorised the app.

    Attributes:
        user: Name and address, as FreshBooks has them.
        businesses: All memberships, also those of a mere client, whose books belong to others.
        readable: Names of the selected streams that the token may read.
        refused: The selected streams that it may not read, by the scopes that it lacks.
        unselected: The other streams that it may not read, likewise.
    """

    user: str
    businesses: tuple[Business, ...]
    readable: tuple[str, ...]
    refused: MissingScopes
    unselected: MissingScopes

    @classmethod
    def fetch(cls, tap: TapFreshBooks, granted: frozenset[str]) -> Self:
        """Ask FreshBooks who has authorised the app.

        Args:
            tap: Connected with the new tokens.
            granted: The scopes of the token.

        Raises:
            TapError: If FreshBooks does not say who that is.
        """
        me = tap.connection.me
        wanted = selected_streams(tap)
        names = {stream.name for stream in wanted}
        streams = [each for each in tap.streams.values() if isinstance(each, RecordStream)]
        return cls(
            user=user_of(me),
            businesses=tuple(read_businesses(me)),
            readable=tuple(stream.name for stream in wanted if not missing_scopes(stream, granted)),
            refused=_names_by_missing_scopes(wanted, granted),
            unselected=_names_by_missing_scopes(
                (each for each in streams if each.name not in names), granted
            ),
        )

    @property
    def usable(self) -> tuple[Business, ...]:
        """The businesses that can be read."""
        return tuple(each for each in self.businesses if not each.is_client_only)


def _names_by_missing_scopes(
    streams: Iterable[RecordStream], granted: frozenset[str]
) -> MissingScopes:
    names_by_scopes: MissingScopes = {}
    for stream in streams:
        if scopes := missing_scopes(stream, granted):
            names_by_scopes.setdefault(scopes, []).append(stream.name)
    return names_by_scopes
