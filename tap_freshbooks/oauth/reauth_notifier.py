"""Notifies the receiver of `auth_failure_url` that an account must be authorised again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.transport.bounds import bounded_session

if TYPE_CHECKING:
    from tap_freshbooks.oauth.tokens import Rejection

logger = logging.getLogger("tap-freshbooks.oauth")

TIMEOUT = 10
"""Seconds for the receiver to answer."""


@dataclass(frozen=True, slots=True)
class ReauthNotifier:
    """The receiver of `auth_failure_url`.

    Attributes:
        url: Where the event is POSTed; it may contain a secret of the receiver.
        connection: The name of the connection.
        user_agent: As for any other request.
    """

    url: str
    connection: str
    user_agent: str

    def notify(self, rejection: Rejection) -> bool:
        """POST the event as JSON: connection, time and reason, no secrets.

        Returns:
            Whether the receiver took it; if not, the next run tries again.
        """
        event = {
            "event": "reauthorization_required",
            "connection": self.connection,
            "time": utc_text_at(rejection.since),
            "reason": rejection.reason,
        }
        try:
            with (
                bounded_session() as session,
                session.post(
                    self.url,
                    json=event,
                    headers={"User-Agent": self.user_agent},
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    stream=True,  # only the status counts
                ) as answer,
            ):
                status, is_taken = answer.status_code, answer.ok and not answer.is_redirect
        except (requests.RequestException, ValueError) as error:
            outcome = type(error).__name__
        else:
            if is_taken:
                return True
            outcome = f"status {status}"
        logger.warning(
            "auth_failure_url did not take the event (%s); the next run tries again", outcome
        )
        return False
