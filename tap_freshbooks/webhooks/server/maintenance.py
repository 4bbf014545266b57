"""Background jobs of the receiver: heartbeat, verification, health check, pruning."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from tap_freshbooks.errors import RunCancelledError, TapError
from tap_freshbooks.webhooks.callbacks import presence
from tap_freshbooks.webhooks.callbacks.presence import ReceiverPresence
from tap_freshbooks.webhooks.callbacks.store import CallbackStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_freshbooks.webhooks.inbox import Inbox
    from tap_freshbooks.webhooks.server.metrics import Metrics

logger = logging.getLogger("tap-freshbooks.webhooks")

PRUNE_INTERVAL = 3_600.0
"""Seconds between two removals of old entries."""

CONFIRM_INTERVAL = 60.0
"""Seconds after which a verifier that could not be given back is tried again."""

Problems = list[str]
"""A sentence each."""

Job = Callable[[], Problems | None]
"""Its problems are logged."""


class PeriodicThread:
    """A thread that runs each of its jobs again after its interval.

    Args:
        name: Of the thread.
        jobs: Each with its interval, in seconds.
    """

    def __init__(self, name: str, jobs: Sequence[tuple[float, Job]]) -> None:
        self._jobs = jobs
        self._due = [0.0] * len(jobs)
        self._woken = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; each job runs at once."""
        self._thread.start()

    def run_now(self, number: int) -> None:
        """Let the thread run a job now."""
        self._due[number] = 0.0
        self._woken.set()

    def close(self) -> None:
        """End the thread, after the job that it is running."""
        self._ended = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _work(self) -> None:
        while not self._ended:
            for number, (interval, job) in enumerate(self._jobs):
                if time.monotonic() < self._due[number] or self._ended:
                    continue
                self._due[number] = time.monotonic() + interval
                try:
                    for problem in job() or ():
                        logger.warning("%s", problem)
                except RunCancelledError:
                    return
                except TapError as error:
                    logger.error("%s", error)  # noqa: TRY400 - it is a sentence
                except Exception as error:  # noqa: BLE001 - the receiver goes on without it
                    # Its text could quote a secret.
                    logger.warning("Unexpected %s; please report this", type(error).__name__)
            self._woken.wait(max(0.0, min(self._due) - time.monotonic()))
            self._woken.clear()


class ReceiverMaintenance:
    """The background jobs of a receiver.

    Args:
        inbox: Where the receiver stores events.
        metrics: The counters of the receiver.
        retention: Seconds after which entries of the inbox are pruned.
        confirm: Gives verifiers back; None without a token.
        check: Asks FreshBooks whether the callbacks are verified; None without a token.
        check_interval: Seconds between two checks.
        interrupt: Ends what waits for FreshBooks, when the jobs are to end.
    """

    def __init__(
        self,
        inbox: Inbox,
        metrics: Metrics,
        *,
        retention: float,
        confirm: Callable[[], Problems] | None = None,
        check: Callable[[], Problems] | None = None,
        check_interval: float = 900.0,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self.inbox = inbox
        self.store = CallbackStore(inbox)
        self.presence = ReceiverPresence(inbox)
        self.metrics = metrics
        self.id = uuid.uuid4().hex
        jobs: list[tuple[float, Job]] = [(PRUNE_INTERVAL, lambda: self._prune(retention))]
        self._confirm = confirm
        if confirm:
            jobs.insert(0, (CONFIRM_INTERVAL, confirm))
        if check:
            jobs.append((check_interval, check))
        self._interrupt = interrupt
        # Heartbeats do not wait for FreshBooks, which may take minutes.
        job = (presence.HEARTBEAT_INTERVAL, self.heartbeat)
        self._heartbeats = PeriodicThread("webhooks-heartbeat", [job])
        self._maintenance = PeriodicThread("webhooks-maintenance", jobs)

    def start(self) -> None:
        """Write the first heartbeat, and go on in threads.

        Raises:
            InboxError: If the inbox cannot be written.
        """
        self.heartbeat()
        self._heartbeats.start()
        self._maintenance.start()

    def on_verification(self) -> None:
        """Give back the verifier that has just come, if there is a token."""
        if self._confirm:
            self._maintenance.run_now(0)

    def close(self) -> None:
        """End the threads; a job that runs is finished, or interrupted where it only waits."""
        if self._interrupt:
            self._interrupt()
        self._heartbeats.close()
        self._maintenance.close()

    def heartbeat(self) -> None:
        """Write a heartbeat, and count the verifiers that FreshBooks waits for.

        Raises:
            InboxError: If the inbox cannot be written.
        """
        self.presence.heartbeat(self.id)
        self.metrics.set_pending(len(self.store.pending_verifiers()))

    def _prune(self, retention: float) -> None:
        pruned = self.inbox.prune(time.time() - retention)
        if pruned:
            logger.info("Pruned %d old entries of the webhook inbox", pruned)
