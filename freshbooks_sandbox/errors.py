"""What a request can be refused with, before a family has put it into its own shape."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Refusal(Exception):  # noqa: N818 it is an answer, not a mistake
    """An answer other than success.

    `errno`, `field`, `value` and `object` end up where the family of the URL puts them;
    `body`, where given, is used as it is.
    """

    status: int
    message: str = ""
    errno: int | None = None
    field: str | None = None
    value: Any = None
    object: str | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


UNAUTHENTICATED = {
    "error": "unauthenticated",
    "error_description": "This action requires authentication to continue.",
}
NO_ACCESS = "The server could not verify that you are authorized to access the URL requested."
UNKNOWN_ROUTE = (
    "The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)


def unauthenticated() -> Refusal:
    """A dead, missing or invented token, the same in every family.

    See docs/freshbooks-api/accounting.md §8.
    """
    return Refusal(401, body=UNAUTHENTICATED)


def insufficient_scope(provided: frozenset[str], required: str) -> Refusal:
    """The token lives but may not do this.

    The wording is shorter than that of docs/freshbooks-api/errors-and-limits.md §1.
    """
    names = " ".join(sorted(provided))
    return Refusal(
        403, f"insufficient_scope: provided [{names}], required [{required}]", errno=1003
    )


def no_access() -> Refusal:
    """A 401 that no refresh can mend: errno 1003 (docs/freshbooks-api/accounting.md §8)."""
    return Refusal(401, NO_ACCESS, errno=1003)
