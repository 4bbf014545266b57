"""Checks the callbacks at the begin of a sync: a receiver without a token cannot."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.webhooks.callbacks.health import check_health
from tap_freshbooks.webhooks.callbacks.manager import RESEND_INTERVAL, CallbackManager

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.callbacks.store import CallbackStore

logger = logging.getLogger("tap-freshbooks.webhooks.sync")


def check_callbacks(
    connection: Connection, store: CallbackStore, now: datetime, interval: timedelta
) -> None:
    """Give back the verifiers that FreshBooks waits for, and check the callbacks now and then.

    Args:
        connection: The FreshBooks user.
        store: The callbacks in the inbox.
        now: The time.
        interval: How often the callbacks are checked at FreshBooks, at most.
    """
    manager = CallbackManager(connection, store)
    checked = [each.checked_at for each in manager.callbacks]
    seconds = max(interval.total_seconds(), RESEND_INTERVAL)
    try:
        if any(at is None or now.timestamp() - at >= seconds for at in checked):
            problems = manager.check()
        else:
            problems = manager.confirm_pending()
    except FreshBooksError as error:
        problems = [f"the callbacks cannot be checked: {error}"]
    for problem in [*problems, *check_health(manager).problems]:
        logger.warning("%s", problem)
