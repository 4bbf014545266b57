"""Fills in the identifiers in paths of endpoints, and checks them before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.streams.resources.path_identifiers import (
    PLACEHOLDER,
    unknown_placeholder,
    wanted_identifier,
)
from tap_freshbooks.transport.sendable import flaw_of_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection

IDENTIFIERS = ", ".join(kind.value for kind in IdentifierKind)


def resolve(connection: Connection, path: str, business: str | None) -> str:
    """Fill in the identifiers in braces, and check that they are of the kind that the path needs.

    Args:
        connection: Has the businesses of the user.
        path: From the first slash, perhaps with `{account_id}` and the like.
        business: An identifier of the business that is meant; None if there is only one.

    Raises:
        SettingsError: If the path or the business is wrong; nothing was sent to the endpoint.
    """
    if not path.startswith("/"):
        raise SettingsError(
            f"{path!r} is no path; one looks like /accounting/account/{{account_id}}/users/clients"
        )
    if flaw := flaw_of_path(path, "--param"):
        raise SettingsError(f"the path {flaw}")
    names = PLACEHOLDER.findall(path)
    if (name := unknown_placeholder(path)) is not None:
        raise SettingsError(f"{{{name}}} in the path is none of {IDENTIFIERS}")
    wanted, found = wanted_identifier(path)
    if wanted is None:
        chosen = _select(connection, business) if names else None
    elif names and found == f"{{{wanted.value}}}":
        chosen = _select(connection, business)
    elif PLACEHOLDER.fullmatch(found):
        raise SettingsError(
            f"this path wants the {wanted.value}, not {found}: write {{{wanted.value}}} there"
        )
    else:
        _check_literal(connection.members, wanted, found)
        chosen = _select(connection, business or found) if names else None
    return PLACEHOLDER.sub(lambda match: _value(chosen, IdentifierKind(match[1])), path)


def _check_literal(members: Iterable[Business], wanted: IdentifierKind, found: str) -> None:
    for business in members:
        for kind in IdentifierKind:
            if kind is not wanted and str(business.identifier(kind)) == found:
                correct = business.identifier(wanted)
                raise SettingsError(
                    f"{found} is the {kind.value} of {business}, but this path wants its "
                    f"{wanted.value}, {correct or 'which it does not have'}"
                )


def _select(connection: Connection, wanted: str | None) -> Business:
    """The business with this identifier, of whatever kind; without one, the only business."""
    if wanted is not None:
        for business in connection.members:
            if wanted in {str(business.identifier(kind)) for kind in IdentifierKind}:
                return business
        raise SettingsError(f"{wanted} is no business of the user; {_names(connection.members)}")
    if len(connection.businesses) == 1:
        return connection.businesses[0]
    raise SettingsError(f"say which one with --business; {_names(connection.businesses)}")


def _names(businesses: Sequence[Business]) -> str:
    names = ", ".join(f"{each.business_id} ({each.name})" for each in businesses)
    return f"there are {names}" if names else "there is none that the user may read"


def _value(business: Business | None, kind: IdentifierKind) -> str:
    assert business is not None  # noqa: S101 - chosen wherever there is a placeholder
    value = business.identifier(kind)
    if value is None:
        usable = "usable " if business.lacks_usable(kind) else ""
        raise SettingsError(f"{business} has no {usable}{kind.value}")
    return str(value)
