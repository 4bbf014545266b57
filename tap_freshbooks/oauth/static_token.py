"""An access token that is used as it is and never refreshed."""

from __future__ import annotations

from typing_extensions import override

from tap_freshbooks.errors import ReauthorizationRequiredError
from tap_freshbooks.transport.auth import Authenticator

CONFIGURED = (
    "FreshBooks does not accept the configured access_token (they live 12 hours), and there is no "
    "refresh_token to get another: set a new access_token, or remove it and connect the account "
    "with `tap-freshbooks login`"
)


class StaticToken(Authenticator):
    """An access token that is used as it is and never refreshed.

    Args:
        access_token: That of the settings, as a rule.
        refusal: What to say if FreshBooks does not accept it.
    """

    def __init__(self, access_token: str, refusal: str = CONFIGURED) -> None:
        self._access_token = access_token
        self._refusal = refusal

    @override
    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected is not None:
            raise ReauthorizationRequiredError(self._refusal)
        return self._access_token

    @override
    def close(self) -> None:
        pass
