"""The tap in this process, disturbed or not, and the target that takes what it writes."""

from __future__ import annotations

import signal
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import RecordMessage

from tap_freshbooks.errors import RunInterruptedError, TapError
from tap_freshbooks.tap import TapFreshBooks
from tests.faults.target import Target
from tests.support import QUICK, Messages, catalog_of

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

    from freshbooks_sandbox import Sandbox
    from tests.faults.many_runs.books import Books
    from tests.faults.many_runs.steps import Disturbance

REQUESTS = 60
MESSAGES = 300
"""About as many as a run has: moments are drawn among them."""


class Output(Messages):
    """Keeps records as they are: what the tap has written it does not change."""

    def write_message(self, message: Message) -> None:
        if isinstance(message, RecordMessage):
            self.all.append(message.to_dict())
        else:
            super().write_message(message)


class Interrupting(Output):
    """Output during which a signal comes.

    Args:
        moment: After which message.
    """

    def __init__(self, moment: int) -> None:
        super().__init__()
        self._moment = moment
        self.tap: TapFreshBooks | None = None

    def write_message(self, message: Message) -> None:
        super().write_message(message)
        if self.tap and len(self.all) > self._moment:
            tap, self.tap = self.tap, None
            tap.on_signal(signal.SIGTERM)


class Pipeline:
    """Runs one after the other, each with the state that the target has seen.

    Args:
        sandbox: What is read.
        books: Its edits.
        settings: Of the tap.
        streams: To select.
    """

    def __init__(
        self, sandbox: Sandbox, books: Books, settings: dict[str, Any], streams: tuple[str, ...]
    ) -> None:
        self._sandbox = sandbox
        self._books = books
        self.settings = settings
        self.streams = streams
        self.without: tuple[tuple[str, str], ...] = ()
        self.target = Target()

    @property
    def state(self) -> dict[str, Any]:
        """What the target has seen of it."""
        return self.target.state or {}

    def run(self) -> Output:
        """Run undisturbed, with the state."""
        messages = self._sync(self.settings, self.target.state, Output())
        for message in messages.all:
            self.target.apply(message)
        return messages

    def fresh(self, **settings: Any) -> Target:
        """An empty target after a first run."""
        target = Target()
        settings = {**self.settings, "webhook_inbox": "", **settings}
        for message in self._sync(settings, None, Output()).all:
            target.apply(message)
        return target

    def disturbed(self, disturbance: Disturbance) -> None:
        """Run with the state while something goes wrong."""
        kind = disturbance.kind
        messages = Output()
        if kind == "interrupted":
            messages = Interrupting(int(disturbance.moment * MESSAGES))
        self._order(disturbance)
        expected = (TapError, RunInterruptedError) if kind == "interrupted" else (TapError,)
        with suppress(*expected):
            self._sync(self.settings, self.target.state, messages)
        self._sandbox.faults_clear()
        taken = messages.all
        if kind == "killed":
            taken = taken[: int(len(taken) * (1 - disturbance.moment))]
            if disturbance.commits:
                while taken and taken[-1]["type"] != "STATE":
                    taken.pop()
        for message in taken:
            self.target.apply(message)

    def _order(self, disturbance: Disturbance) -> None:
        client = self.settings["client_id"]
        nth = int(disturbance.moment * REQUESTS)
        each: dict[str, Any] = {"client_id": client, "skip": nth}
        if disturbance.kind == "fails":
            times = self.settings["max_attempts"]
            self._sandbox.faults("status", status=500, method="GET", times=times, **each)
        elif disturbance.kind == "refused":
            self._sandbox.faults("deny", method="GET", times=1, **each)
        for number, edit in enumerate(disturbance.edits):
            when = ("before", "after")[number % 2]
            self._books.order(edit, client, nth=nth + 3 * number, when=when)

    def _sync(
        self, settings: dict[str, Any], state: dict[str, Any] | None, messages: Output
    ) -> Output:
        catalog = catalog_of(*self.streams)
        for name, field in self.without:
            for entry in catalog["streams"]:
                if entry["stream"] == name and name in self.streams:
                    for each in entry["metadata"]:
                        if each["breadcrumb"] == ["properties", field]:
                            each["metadata"]["selected"] = False
        tap = TapFreshBooks(
            config={**QUICK, **settings},
            catalog=catalog,
            state=deepcopy(state),
            message_writer=messages,
        )
        if isinstance(messages, Interrupting):
            messages.tap = tap
        tap.sync()
        return messages
