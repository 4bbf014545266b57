"""Notifies the receiver of `auth_failure_url` that an account must be authorised again."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.errors import TapError, sentence_of
from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.transport.session import HttpSession

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
        client_id: The app.
        connection: The name of the connection.
        user_agent: As for any other request.
    """

    url: str
    client_id: str
    connection: str
    user_agent: str

    def notify(self, rejection: Rejection, owner: Owner | None) -> bool:
        """POST the event as JSON: whose connection it is, time and reason, no secrets.

        Args:
            rejection: What happened.
            owner: The FreshBooks user, as he was known last; None if he never was.

        Returns:
            Whether the receiver took it; if not, the next run tries again.
        """
        event = {
            "event": "reauthorization_required",
            "client_id": self.client_id,
            "connection": self.connection,
            **asdict(owner or Owner()),
            "time": utc_text_at(rejection.since),
            "reason": rejection.reason,
        }
        try:
            with HttpSession(
                self.url,
                user_agent=self.user_agent,
                timeout=TIMEOUT,
                max_size=0,
                timeouts=1,
            ) as session:
                answer, _ = session.exchange("POST", "", json=event, reads_body=False)
        except (TapError, ValueError) as error:
            outcome = sentence_of(error)
        else:
            if answer.ok and not answer.is_redirect:
                return True
            outcome = f"status {answer.status_code}"
        logger.warning(
            "auth_failure_url did not take the event (%s); the next run tries again", outcome
        )
        return False
