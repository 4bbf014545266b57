"""What a receiver does besides receiving: gives signs of life and secrets back, looks, prunes."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from tap_freshbooks.errors import RunCancelledError, TapError
from tap_freshbooks.webhooks.callbacks import store
from tap_freshbooks.webhooks.callbacks.store import CallbackStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_freshbooks.webhooks.inbox import Inbox
    from tap_freshbooks.webhooks.server.metrics import Metrics

logger = logging.getLogger("tap-freshbooks.webhooks")

PRUNE_EVERY = 3_600.0
"""Seconds."""

CONFIRM_EVERY = 60.0
"""Seconds after which secrets that nobody gave back are tried again."""

Sentences = list[str]
Job = Callable[[], Sentences | None]


class PeriodicThread:
    """A thread that does each of some duties again after so many seconds."""

    def __init__(self, duties: Sequence[tuple[float, Job]]) -> None:
        self._duties = duties
        self._due = [0.0] * len(duties)
        self._woken = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="webhooks-keeper", daemon=True)

    def start(self) -> None:
        """Begin with all of them."""
        self._thread.start()

    def hurry(self, number: int) -> None:
        """Do one of them now."""
        self._due[number] = 0.0
        self._woken.set()

    def close(self) -> None:
        """End, after what is being done."""
        self._ended = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _work(self) -> None:
        while not self._ended:
            for number, (every, duty) in enumerate(self._duties):
                if time.monotonic() < self._due[number] or self._ended:
                    continue
                self._due[number] = time.monotonic() + every
                try:
                    for sentence in duty() or ():
                        logger.warning("%s", sentence)
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
    """What happens beside the receiver.

    Args:
        inbox: Whose receiver it is.
        metrics: What is counted.
        keep_for: Seconds after which entries of the inbox are pruned.
        confirm: Gives secrets back; None if somebody else has to.
        check: Asks FreshBooks whether the callbacks are verified; None if somebody else has to.
        check_every: Seconds between two checks.
        interrupt: Ends what waits for FreshBooks, when the keeper is to end.
    """

    def __init__(
        self,
        inbox: Inbox,
        metrics: Metrics,
        *,
        keep_for: float,
        confirm: Callable[[], Sentences] | None = None,
        check: Callable[[], Sentences] | None = None,
        check_every: float = 900.0,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self.inbox = inbox
        self.book = CallbackStore(inbox)
        self.metrics = metrics
        self.id = uuid.uuid4().hex
        duties: list[tuple[float, Job]] = [(PRUNE_EVERY, lambda: self._prune(keep_for))]
        self._confirm = confirm
        if confirm:
            duties.insert(0, (CONFIRM_EVERY, confirm))
        if check:
            duties.append((check_every, check))
        self._interrupt = interrupt
        # Signs of life do not wait for FreshBooks, which may take minutes.
        self._routines = [PeriodicThread([(store.BEAT, self._beat)]), PeriodicThread(duties)]

    def start(self) -> None:
        """Give the first sign of life, and go on in a thread.

        Raises:
            InboxError: If the inbox cannot be written.
        """
        self.book.present(self.id)
        for routine in self._routines:
            routine.start()

    def wake(self) -> None:
        """A secret has come that FreshBooks wants back."""
        if self._confirm:
            self._routines[1].hurry(0)

    def close(self) -> None:
        """End the threads; what they are at is finished, or interrupted where it only waits."""
        if self._interrupt:
            self._interrupt()
        for routine in self._routines:
            routine.close()

    def _beat(self) -> None:
        self.book.present(self.id)
        self.metrics.pending(len(self.book.pending()))

    def _prune(self, keep_for: float) -> None:
        pruned = self.inbox.prune(time.time() - keep_for)
        if pruned:
            logger.info("Pruned %d old entries of the webhook inbox", pruned)
