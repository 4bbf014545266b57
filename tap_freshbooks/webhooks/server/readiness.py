"""Whether a receiver could store a delivery now: it is tried, for all who ask at once."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from tap_freshbooks.webhooks.connections import InboxError

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.inbox import Inbox

logger = logging.getLogger("tap-freshbooks.webhooks")

MIN_INTERVAL = 1.0
"""Seconds between two tries, however many ask."""

TIMEOUT = 1.0
"""Seconds in which the inbox must have been written."""


class Readiness:
    """Tries whether the inbox can be written; to be used within one event loop.

    Args:
        inbox: Where deliveries are stored.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._trial: asyncio.Task[bool] | None = None
        self._began_at = 0.0
        self._was_ready = True

    async def is_ready(self) -> bool:
        """Whether a delivery could be stored."""
        now = time.monotonic()
        # One that hangs is waited for by all: each in a thread of its own would leave none for
        # deliveries.
        if self._trial is None or (self._trial.done() and now - self._began_at >= MIN_INTERVAL):
            self._began_at = now
            self._trial = asyncio.create_task(asyncio.to_thread(self._try))
        try:
            return await asyncio.wait_for(asyncio.shield(self._trial), TIMEOUT)
        except TimeoutError:
            return False

    def _try(self) -> bool:
        try:
            self._inbox.prove_writable()
        except InboxError as error:
            if self._was_ready:
                logger.error("Not ready: %s", error)  # noqa: TRY400 - it is a sentence
            self._was_ready = False
        else:
            if not self._was_ready:
                logger.info("Ready again: the webhook inbox can be written")
            self._was_ready = True
        return self._was_ready
