"""Identifiers in the paths of endpoints: filled in, and checked before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.businesses import IdentifierKind
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.streams.resources.path_identifiers import (
    PLACEHOLDER,
    unknown_placeholder,
    wanted_identifier,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection

IDENTIFIERS = ", ".join(scope.value for scope in IdentifierKind)


def resolve(connection: Connection, path: str, business: str | None) -> str:
    """Fill in the identifiers in braces, and see that they are of the kind that the path wants.

    Args:
        connection: Whose businesses they are.
        path: From the first slash, perhaps with `{account_id}` and the like.
        business: An identifier of the business that is meant; None if there is only one.

    Raises:
        SettingsError: If something about it is wrong; nothing was sent to the endpoint.
    """
    if not path.startswith("/"):
        raise SettingsError(
            f"{path!r} is no path; one looks like /accounting/account/{{account_id}}/users/clients"
        )
    names = PLACEHOLDER.findall(path)
    if (name := unknown_placeholder(path)) is not None:
        raise SettingsError(f"{{{name}}} in the path is none of {IDENTIFIERS}")
    wanted, found = wanted_identifier(path)
    if wanted is None:
        chosen = _chosen(connection, business) if names else None
    elif names and found == f"{{{wanted.value}}}":
        chosen = _chosen(connection, business)
    elif PLACEHOLDER.fullmatch(found):
        raise SettingsError(
            f"this path wants the {wanted.value}, not {found}: write {{{wanted.value}}} there"
        )
    else:
        _check_literal(connection.members, wanted, found)
        chosen = _chosen(connection, business or found) if names else None
    return PLACEHOLDER.sub(lambda match: _value(chosen, IdentifierKind(match[1])), path)


def _check_literal(members: Iterable[Business], wanted: IdentifierKind, found: str) -> None:
    for business in members:
        for scope in IdentifierKind:
            if scope is not wanted and str(business.identifier(scope)) == found:
                right = business.identifier(wanted)
                raise SettingsError(
                    f"{found} is the {scope.value} of {business}, but this path wants its "
                    f"{wanted.value}, {right or 'which it does not have'}"
                )


def _chosen(connection: Connection, wanted: str | None) -> Business:
    """The business that is meant, by any of its identifiers."""
    if wanted is not None:
        for business in connection.members:
            if wanted in {str(business.identifier(scope)) for scope in IdentifierKind}:
                return business
        raise SettingsError(f"{wanted} is no business of the user; {_names(connection.members)}")
    if len(connection.businesses) == 1:
        return connection.businesses[0]
    raise SettingsError(f"say which one with --business; {_names(connection.businesses)}")


def _names(businesses: Sequence[Business]) -> str:
    names = ", ".join(f"{each.business_id} ({each.name})" for each in businesses)
    return f"there are {names}" if names else "there is none that the user may read"


def _value(business: Business | None, scope: IdentifierKind) -> str:
    assert business is not None  # noqa: S101 - chosen wherever there is a placeholder
    value = business.identifier(scope)
    if value is None:
        raise SettingsError(f"{business} has no {scope.value}")
    return str(value)
