"""Checks the callbacks at the begin of a sync: a receiver without a token cannot."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.webhooks.callbacks.health import check_health
from tap_freshbooks.webhooks.callbacks.manager import RESEND_INTERVAL, CallbackManager

if TYPE_CHECKING:
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.extraction.reading_times import ReadingTimes
    from tap_freshbooks.webhooks.callbacks.store import CallbackStore

logger = logging.getLogger("tap-freshbooks.webhooks.sync")


def check_callbacks(connection: Connection, store: CallbackStore, times: ReadingTimes) -> None:
    """Give back the verifiers that FreshBooks waits for, and check the callbacks now and then.

    Args:
        connection: The FreshBooks user.
        store: The callbacks in the inbox.
        times: Says how often the callbacks are checked at FreshBooks.
    """
    manager = CallbackManager(connection, store)
    checked = [each.checked_at for each in manager.callbacks]
    interval = max(times.poll_interval, timedelta(seconds=RESEND_INTERVAL))
    try:
        if not all(
            at and times.is_recent(datetime.fromtimestamp(at, UTC), interval) for at in checked
        ):
            problems = manager.check()
        else:
            problems = manager.confirm_pending()
    except FreshBooksError as error:
        problems = [f"the callbacks cannot be checked: {error}"]
    for problem in [*problems, *check_health(manager).problems]:
        logger.warning("%s", problem)
