"""Is FreshBooks down, or only the endpoint that failed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import backoff

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.errors import ConnectionFailedError, FreshBooksError, TransientError
from tap_freshbooks.locations import showable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.transport.request import Request


CHECKS = 3
"""How often users/me is asked before FreshBooks counts as down."""

LONGEST_WAIT = 2.0
"""Seconds between two of them, at most."""


class OutageCheck:
    """Asks users/me, which every token may read and no plan lacks.

    One endpoint may be broken for ever; that is no reason to give up the others. But when
    FreshBooks as a whole is down, it would be wrong to try all of them, one after the other.

    Args:
        ask: Sends the request, once.
        sleep: Waits for some seconds.
        api_url: For messages.
    """

    def __init__(
        self, ask: Callable[[], object], sleep: Callable[[float], None], api_url: str
    ) -> None:
        self._ask = ask
        self._sleep = sleep
        self.api_url = api_url

    def check(self, failure: str, request: Request) -> None:
        """Find out whether FreshBooks is there, after a request was given up.

        Args:
            failure: What happened to it, for the message.
            request: The request.

        Raises:
            ConnectionFailedError: If it is not.
        """
        place = f"Is {showable(self.api_url)} reachable, and FreshBooks up? Run again later"
        if request.path == IDENTITY_PATH:
            raise ConnectionFailedError(f"{failure}. {place}: {request.assurance}")
        for number in range(1, CHECKS + 1):
            try:
                self._ask()
            except TransientError as error:
                if number == CHECKS:
                    raise ConnectionFailedError(
                        f"{failure}; nor does FreshBooks say who we are ({error}). {place}: "
                        f"{request.assurance}"
                    ) from None
                self._sleep(backoff.full_jitter(LONGEST_WAIT))
            except FreshBooksError:
                return  # whatever it says, it is there
            else:
                return
