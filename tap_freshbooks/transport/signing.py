"""SignedRequests: which token a request is sent with, and whose fault a 401 is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.errors import (
    AmbiguousUnauthorizedError,
    BadRequestError,
    FreshBooksError,
    InvalidTokenError,
    PermissionDeniedError,
    ReauthorizationRequiredError,
)
from tap_freshbooks.transport.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.transport.auth import Authenticator
    from tap_freshbooks.transport.request import Response


class SignedRequests:
    """Sends requests with tokens that work, as far as there are any.

    Args:
        authenticator: Gives access tokens.
        send: Sends a request with a token, once.
    """

    def __init__(
        self, authenticator: Authenticator, send: Callable[[Request, str], Response]
    ) -> None:
        self.authenticator = authenticator
        self._send = send
        self._rejecting: set[str] = set()
        """The streams whose endpoint rejects a good token: no refresh helps."""

    def send(self, request: Request) -> Response:
        """Send once; an invalid token is refreshed once, and replaced if another refreshes it.

        Raises:
            FreshBooksError: If the response is an error.
            ReauthorizationRequiredError: If FreshBooks refuses a token that was just refreshed.
        """
        token = self.authenticator.access_token()
        is_refreshed = False
        while True:
            try:
                return self._send(request, token)
            except InvalidTokenError as error:
                rejection: FreshBooksError = error
            except AmbiguousUnauthorizedError as error:
                if self._is_valid(token):
                    raise PermissionDeniedError(str(error)) from None
                rejection = error
            current = self.authenticator.access_token()
            if current == token:
                is_known = request.consumer in self._rejecting
                if (is_refreshed or is_known) and self._is_valid(token):
                    self._rejecting.add(request.consumer)
                    raise BadRequestError(f"{rejection}, though users/me accepts the token")
                if is_refreshed:
                    raise ReauthorizationRequiredError(
                        f"{rejection}, even with a new access token: connect the account again "
                        "with `tap-freshbooks login`"
                    )
                current = self.authenticator.access_token(rejected=token)
                is_refreshed = True
            token = current

    def ask_who_we_are(self, token: str | None = None) -> None:
        """Ask users/me, which every valid token may read.

        Raises:
            FreshBooksError: If the response is an error.
        """
        self._send(Request(IDENTITY_PATH), token or self.authenticator.access_token())

    def _is_valid(self, token: str) -> bool:
        try:
            self.ask_who_we_are(token)
        except (InvalidTokenError, AmbiguousUnauthorizedError):
            return False
        return True
