"""`make soak`: ten thousand rotations under fire, with figures.

A death at each step of taking in a new token, a crowd of processes on one expired token, then the
storm of `test_kills`, longer and with more processes; for a token file and for PostgreSQL. The
exit status is 1 if a token was lost.

This is a `__main__`, which multiprocessing does not import into each process anew.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import tempfile
from pathlib import Path

from demo.pipeline import Postgres
from freshbooks_sandbox import Sandbox
from tests.faults import new_tokens
from tests.faults.account import Account
from tests.faults.processes import at_once
from tests.faults.storm import Storm
from tests.faults.worker import begin

PAUSES = {"file": 0.008, "postgres": 0.1}
"""Seconds in which one of the processes begins a run, on average: about as often as can be."""


def main() -> int:
    """Soak the stores that are named, or both."""
    parser = argparse.ArgumentParser(description="Refresh under fire.")
    parser.add_argument("--rotations", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("stores", nargs="*", default=[*PAUSES])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and stop what was started
    is_sound = True
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(invoices=1, rate_limit=0) as sandbox,
        Postgres(Path(name) / "data") as postgres,
    ):
        make_room(postgres, 4 * options.processes)
        for store in options.stores:
            folder = Path(name, store)
            folder.mkdir()
            place = postgres.url() if store == "postgres" else folder / "tokens.json"
            account = Account(sandbox, place, folder)
            patch = begin(account.client)
            is_sound &= take_in(sandbox, store, place, folder)
            is_sound &= soak(account, store, folder, options)
            patch.undo()
    return 0 if is_sound else 1


def take_in(sandbox: Sandbox, store: str, place: str | Path, folder: Path) -> bool:
    """Die at each step of taking in a new token, of the same user and of another.

    Returns:
        Whether no token was lost, and none of another user was taken.
    """
    numbers = itertools.count()
    patches = []

    def new_account() -> Account:
        own = folder / f"account-{next(numbers)}"
        own.mkdir()
        account = Account(sandbox, own / "tokens.json" if store == "file" else place, own)
        patches.append(begin(account.client))
        return account

    found = []
    for is_other in (False, True):
        count, problems = new_tokens.problems(new_account, is_other=is_other)
        found += problems
        user = "another user" if is_other else "the same user"
        say(
            f"{store}: {count} deaths while a token of {user} is taken in, {len(problems)} problems"
        )
    for problem in found:
        say(f"{store}: {problem}")
    for patch in reversed(patches):
        patch.undo()
    return not found


def soak(account: Account, store: str, folder: Path, options: argparse.Namespace) -> bool:
    """A crowd, then a storm.

    Returns:
        Whether no token was lost.
    """
    outcomes = at_once(options.processes, account.client)
    tokens = {outcome.result for outcome in outcomes}
    refreshes = account.refreshes
    say(f"{store}: {len(outcomes)} processes at once, {refreshes} refresh")
    pause = PAUSES[store] * options.processes
    storm = Storm(account, options.processes, folder / "windows", pause, options.seed)
    figures = storm.rage(options.rotations)
    say(f"{store}: {options.processes} processes, {figures}")
    return len(tokens) == 1 and (refreshes, figures.lost, figures.spent) == (1, 0, 0)


def make_room(postgres: Postgres, connections: int) -> None:
    """Allow for the connections of the living, and of the dead that PostgreSQL still serves."""
    with postgres.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET max_connections = {connections + 20}".encode())
    postgres.__exit__()
    postgres.__enter__()


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    sys.exit(main())
