"""The errors of a request, before a family has put them into its own form."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours


@dataclasses.dataclass
class ApiError(Exception):
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


class MissingScopeError(ApiError):
    """The token lives but lacks the scope; its text as it was captured, or a shorter guess.

    See docs/freshbooks-api/errors-and-limits.md §1.
    """

    def __init__(self, provided: frozenset[str], required: str) -> None:
        self.provided = " ".join(sorted(provided))
        self.required = required
        message = f"insufficient_scope: provided [{self.provided}], required [{required}]"
        super().__init__(403, message, errno=1003)

    def text(self, behaviours: Behaviours) -> str:
        """The text: *Provided* is one quoted text, *Required* a list."""
        if behaviours.missing_scope == "short":
            return self.message
        return (
            "insufficient_scope: The request requires higher privileges than provided by the "
            f"access token. Provided: ['{self.provided}']. Required: ['{self.required}']."
        )

    def body_of_books(self, behaviours: Behaviours) -> dict[str, Any] | None:
        """The body on `/accounting`, which nobody has published; None for the family's own form.

        See docs/freshbooks-api/accounting.md §8.
        """
        if behaviours.accounting_missing_scope == "errors":
            return None
        text = self.text(behaviours)
        is_nested = behaviours.accounting_missing_scope == "error"
        return {"error": {"message": text}} if is_nested else {"message": text}


UNAUTHENTICATED = {
    "error": "unauthenticated",
    "error_description": "This action requires authentication to continue.",
}
NO_ACCESS = "The server could not verify that you are authorized to access the URL requested."
UNKNOWN_ROUTE = (
    "The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)


def unauthenticated() -> ApiError:
    """A dead, missing or invented token, the same in every family.

    See docs/freshbooks-api/accounting.md §8.
    """
    return ApiError(401, body=UNAUTHENTICATED)


def no_access() -> ApiError:
    """A 401 that no refresh can mend: errno 1003 (docs/freshbooks-api/accounting.md §8)."""
    return ApiError(401, NO_ACCESS, errno=1003)
