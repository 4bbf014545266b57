"""Processes of their own that cost milliseconds: forked from one that has imported everything."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import TapError
from tests.faults.worker import begin

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from tests.faults.account import Client

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["tests.faults.processes", "tests.faults.storm", "tests.faults.steps"]
)

PATIENCE = 120
"""Seconds after which a process that should have ended is at fault."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run: a result, an error of the tap, or a sudden death."""

    result: Any = None
    error: str = ""
    message: str = ""
    exit_status: int = 0
    is_killed: bool = False


class Process:
    """A function that runs in a process of its own, with a `say` to send what it likes.

    Args:
        function: Called with a client, a `say` and the arguments.
        client: Whose rescue files are sought in the folder of the test.
        arguments: More of them.
    """

    def __init__(self, function: Callable[..., Any], client: Client, *arguments: Any) -> None:
        self._ours, theirs = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(
            target=_run, args=(function, client, theirs, *arguments), daemon=True
        )
        self._process.start()
        theirs.close()

    def hear(self) -> Any:
        """What it says next.

        Raises:
            EOFError: If it ends without another word.
        """
        assert self._ours.poll(PATIENCE)
        return self._ours.recv()

    def outcome(self) -> Outcome:
        """Wait for its end."""
        found = Outcome(is_killed=True)
        try:
            while True:
                said = self.hear()
                if isinstance(said, Outcome):
                    found = said
        except EOFError:
            pass
        self._process.join(PATIENCE)
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there: its number may be another one's by now."""
        if self._process.is_alive() and self._process.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it without giving it time for anything."""
        self.send(signal.SIGKILL)
        self._process.join(PATIENCE)


def at_once(count: int, client: Client) -> list[Outcome]:
    """Let so many processes ask for an access token in the same moment."""
    barrier = CONTEXT.Barrier(count)
    processes = [Process(ask_together, client, barrier) for _ in range(count)]
    return [process.outcome() for process in processes]


def ask_together(client: Client, _say: Callable[[Any], None], barrier: Barrier) -> str:
    """Ask for an access token when everybody is ready."""
    authenticator = client.new()
    barrier.wait(PATIENCE)
    return authenticator.access_token()


def ask(client: Client, _say: Callable[[Any], None], rejected: str | None = None) -> str:
    """Ask for an access token."""
    return client.new().access_token(rejected=rejected)


def _run(
    function: Callable[..., Any], client: Client, connection: Connection, *arguments: Any
) -> None:
    begin(client)
    try:
        outcome = Outcome(function(client, connection.send, *arguments))
    except TapError as error:
        outcome = Outcome(
            error=type(error).__name__, message=str(error), exit_status=error.exit_status
        )
    connection.send(outcome)
