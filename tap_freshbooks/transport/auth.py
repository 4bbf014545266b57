"""Authenticator: gives the client access tokens that work."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Authenticator(ABC):
    """Gives requests their access token."""

    @abstractmethod
    def access_token(self, *, rejected: str | None = None) -> str:
        """A usable access token.

        Args:
            rejected: A token that FreshBooks has just answered with a 401; another one
                is wanted.

        Raises:
            ReauthorizationRequiredError: If there is no way to one without a new consent.
            RunCancelledError: If it would take a refresh after `close`.
        """

    @abstractmethod
    def close(self) -> None:
        """Begin no refresh any more, and wait for the end of one that is under way."""
