"""The requests that spend one refresh token, and what is known of that token after each."""

from __future__ import annotations

import random
from enum import Enum, auto
from typing import TYPE_CHECKING

from tap_freshbooks.errors import (
    ConnectionFailedError,
    ReauthorizationRequiredError,
    RefreshFailedError,
    SettingsError,
    TransientError,
)

if TYPE_CHECKING:
    from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
    from tap_freshbooks.oauth.tokens import TokenPair

MAX_LOST_ANSWERS = 2
"""Requests of one run whose answers may get lost: the second shows what became of the first.

A run that finds a lost answer of an earlier one may always ask once.
"""

MAX_REQUESTS = 3
"""Requests of one run: more than two only if some certainly did not arrive."""

MAX_WAIT = 20
"""Seconds between two requests, at most: other processes may be waiting for our lock."""


class TokenState(Enum):
    """What is known of a refresh token that was to be spent."""

    UNSPENT = auto()
    """It is as good as before: no request arrived, or FreshBooks refused it for another reason."""

    UNKNOWN = auto()
    """A request may have arrived whose answer did not: the token is spent, or it is not."""

    SPENT = auto()
    """FreshBooks gave the next pair for it, or said that it does not accept it any more."""


class RefreshAttempts:
    """The requests with one refresh token.

    An answer that got lost leaves open whether the token is spent. While the store is locked no
    other process can have spent it, so one more request is harmless: it works, or says
    `invalid_grant`. An answer that an earlier run has lost counts too.

    Attributes:
        pair: Whose refresh token is spent.
        state: What is known of it now.
        lost_answers: Requests that may have arrived and whose answer did not.
    """

    def __init__(self, endpoint: TokenEndpoint, pair: TokenPair) -> None:
        self.pair = pair
        self.lost_answers = 1 if pair.pending_refresh else 0
        self.state = self._state_without_answer()
        self._endpoint = endpoint
        self._requests = 0

    def send(self) -> TokenPair | TransientError | ReauthorizationRequiredError:
        """Send the refresh token once.

        Returns:
            The next pair; or why there is none: no usable answer came, or the token is dead.

        Raises:
            RefreshFailedError: If FreshBooks refuses the request for another reason.
            SettingsError: If it does not accept the app, or the settings of the network are wrong.
            ConnectionFailedError: If there is no way to FreshBooks: then nothing was spent.
        """
        self._requests += 1
        self.state = TokenState.UNKNOWN  # and stays so if this ends in an unforeseen way
        try:
            fresh = self._endpoint.refresh(self.pair)
        except TransientError as error:
            self.lost_answers += error.sent
            self.state = self._state_without_answer()
            return error
        except ReauthorizationRequiredError as error:
            self.state = TokenState.SPENT
            return error
        except (ConnectionFailedError, RefreshFailedError, SettingsError):
            self.state = self._state_without_answer()
            raise
        self.state = TokenState.SPENT
        return fresh

    @property
    def may_retry(self) -> bool:
        """Whether one more request is harmless and may help."""
        return self.lost_answers < MAX_LOST_ANSWERS and self._requests < MAX_REQUESTS

    def wait_after(self, error: TransientError) -> float:
        """Seconds to wait before the next request."""
        jitter = random.uniform(0, 2**self._requests)  # noqa: S311 - no cryptography
        return min(error.retry_after or jitter, MAX_WAIT)

    def _state_without_answer(self) -> TokenState:
        return TokenState.UNKNOWN if self.lost_answers else TokenState.UNSPENT
