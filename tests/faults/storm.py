"""Processes that refresh for ever, and die at random moments.

The product is watched from outside: each process keeps a marker in shared memory that survives
it, so that it is known afterwards whether it died between FreshBooks' answer and the disk. Only
such a death may lose a token.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import statistics
import time
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_freshbooks.oauth.stores.base import LockedStore
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
from tests.faults.account import hash_of
from tests.faults.processes import CONTEXT, PATIENCE, Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.oauth.tokens import TokenPair
    from tests.faults.account import Account, Client

STRIKES = 0.02
"""Seconds between two strikes, on average and per process: each strike makes work for others."""

FEWEST = 5
"""Deaths between request and disk, without which a storm proves nothing and goes on."""


class Where(IntEnum):
    """How far a process is with a refresh."""

    IDLE = 0
    REQUEST = 1
    ANSWERED = 2
    STORED = 3


class Marker(ctypes.Structure):
    """Where a process is, with which refresh token."""

    _fields_ = [
        ("where", ctypes.c_int),
        ("token", ctypes.c_char * 64),
        ("answered_at", ctypes.c_int64),
    ]
    where: int
    token: bytes
    answered_at: int


@dataclass
class Figures:
    """What a storm did, and what it cost.

    Attributes:
        rotations: Refreshes that FreshBooks answered with a new pair.
        kills: Processes that were ended by SIGKILL.
        kills_in_window: Those of them that died between their request and the disk.
        lost_in_request: Tokens that died with a process that still waited for the answer.
        lost_before_disk: Tokens that died between the answer and the disk.
        lost: Tokens that died in any other way: there must be none.
        spent: Refresh tokens that FreshBooks saw after their death: there must be none.
        windows: Nanoseconds between answer and disk, of each refresh that came so far.
        seconds: Wall time.
    """

    rotations: int = 0
    kills: int = 0
    kills_in_window: int = 0
    lost_in_request: int = 0
    lost_before_disk: int = 0
    lost: int = 0
    spent: int = 0
    windows: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.rotations} rotations in {self.seconds:.1f} s, {self.kills} processes killed, "
            f"{self.kills_in_window} of them between request and disk\n"
            f"excepted: {self.lost_in_request} tokens died while the answer was awaited, "
            f"{self.lost_before_disk} between answer and disk\n"
            f"answer to disk: {max(self.windows) / 1000:.0f} µs at most, "
            f"{statistics.median(self.windows) / 1000:.0f} µs in the median\n"
            f"tokens lost: {self.lost}; spent tokens seen by FreshBooks: {self.spent}"
        )


def refresh_for_ever(
    client: Client,
    say: Callable[[Any], None],
    markers: ctypes.Array[Marker],
    number: int,
    windows: Path,
    pause: float,
) -> None:
    """Begin run after run, and reject the token of the last run or, after a pause, any."""
    watch(markers[number], windows)
    say("ready")
    store = client.store
    token = None
    parent = os.getppid()
    while os.getppid() == parent:  # an orphan would never be ended
        run = client.new(store)
        if pause:
            time.sleep(random.expovariate(1 / pause))
            token = run.access_token()
        token = run.access_token(rejected=token)


def watch(marker: Marker, windows: Path) -> None:
    """Keep the marker of this process, and write down each window."""
    refresh, write = TokenEndpoint.refresh, LockedStore.write
    file = windows.open("ab", buffering=0)

    def marked_refresh(endpoint: TokenEndpoint, pair: TokenPair) -> TokenPair:
        marker.token = hash_of(pair.refresh_token).encode()
        marker.where = Where.REQUEST
        fresh = refresh(endpoint, pair)
        marker.answered_at = time.perf_counter_ns()
        marker.where = Where.ANSWERED
        return fresh

    def marked_write(*arguments: Any, **more: Any) -> None:
        write(*arguments, **more)
        if marker.where == Where.ANSWERED:
            stored_at = time.perf_counter_ns()
            marker.where = Where.STORED
            file.write((stored_at - marker.answered_at).to_bytes(8, "little"))
            marker.where = Where.IDLE

    patch = pytest.MonkeyPatch()
    patch.setattr(TokenEndpoint, "refresh", marked_refresh)
    patch.setattr(LockedStore, "write", marked_write)


def wait_for_orphans(url: str) -> None:
    """Wait until the kernel has handed over what dead processes had sent to this address.

    A busy machine may deliver it a moment after they died, and after a later request of ours.
    """
    address, closed = f":{urlsplit(url).port:04X}", "06"
    sockets = Path("/proc/net/tcp")
    until = time.monotonic() + PATIENCE
    while sockets.exists() and time.monotonic() < until:
        rows = [line.split() for line in sockets.read_text().splitlines()[1:]]
        if not any(row[2].endswith(address) and row[3] != closed and row[9] == "0" for row in rows):
            return
        time.sleep(0.001)


class Storm:
    """Some processes of one account, and what strikes them.

    Args:
        account: The account.
        count: How many processes.
        windows: A file for the windows that were seen.
        pause: Seconds that a process waits on average before each run. Without a pause, each
            new token is looked at by all of a crowd before it is rejected: a few processes at a
            file do not mind, but a database serves all that wait in turn.
        seed: Of the random moments.
    """

    def __init__(
        self, account: Account, count: int, windows: Path, pause: float = 0, seed: int = 0
    ) -> None:
        self.account = account
        self.figures = Figures()
        self.markers = CONTEXT.RawArray(Marker, count)
        self.windows = windows
        self.pause = pause
        self.strikes = STRIKES * count
        self.processes: dict[int, Process] = {}
        self.random = random.Random(seed)  # noqa: S311 - no cryptography

    def rage(self, rotations: int) -> Figures:
        """Strike until there were so many rotations.

        Returns:
            The figures. The connection works at the end.
        """
        began = time.perf_counter()
        try:
            self._fill()
            done, since = 0, began
            while (
                refreshes := self.account.refreshes
            ) < rotations or self.figures.kills_in_window < FEWEST:
                if refreshes > done:
                    done, since = refreshes, time.perf_counter()
                assert time.perf_counter() - since < PATIENCE, "no process gets a token any more"
                time.sleep(self.random.expovariate(1 / self.strikes))
                self._strike()
                self._fill()
            self._judge(self._kill(set(self.processes)))
        finally:
            for process in self.processes.values():
                process.kill()
        token = self.account.new().access_token()
        token = self.account.new().access_token(rejected=token)
        assert self.account.accepts(token)
        return replace(
            self.figures,
            rotations=self.account.refreshes,
            spent=self.account.spent,
            windows=self._read_windows(),
            seconds=time.perf_counter() - began,
        )

    def _read_windows(self) -> list[int]:
        data = self.windows.read_bytes()
        return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]

    def _fill(self) -> None:
        """Put a new process in the place of each dead one."""
        missing = set(range(len(self.markers))) - set(self.processes)
        for number in missing:
            self.markers[number].where = Where.IDLE
            self.processes[number] = Process(
                refresh_for_ever,
                self.account.client,
                self.markers,
                number,
                self.windows,
                self.pause,
            )
        for number in missing:
            assert self.processes[number].hear() == "ready"

    def _strike(self) -> None:
        """Kill some, or all if one of them dies at a moment that may cost the token.

        The others are stopped meanwhile, so that none sends what is lost before it was seen.
        """
        everybody = set(self.processes)
        count = self.random.choice([1, 1, self.random.randint(1, len(everybody))])
        victims = set(self.random.sample(sorted(everybody), count))
        for number in everybody - victims:
            self.processes[number].send(signal.SIGSTOP)
        suspects = self._kill(victims)
        if suspects or victims == everybody:
            self._judge(suspects | self._kill(everybody - victims))
            return
        for process in self.processes.values():
            process.send(signal.SIGCONT)

    def _kill(self, numbers: set[int]) -> dict[str, Where]:
        """Kill processes.

        Returns:
            The tokens that those held who died between request and disk.
        """
        for number in numbers:
            self.processes[number].send(signal.SIGKILL)
        suspects = {}
        for number in numbers:
            outcome = self.processes.pop(number).outcome()
            # A process that gives up by itself says why: none here should have a reason.
            assert outcome.is_killed, outcome
            self.figures.kills += 1
            marker = self.markers[number]
            if marker.where in {Where.REQUEST, Where.ANSWERED}:
                self.figures.kills_in_window += 1
                suspects[marker.token.decode()] = Where(marker.where)
        return suspects

    def _judge(self, suspects: dict[str, Where]) -> None:
        """Compare what is stored with what FreshBooks would take, when no process is alive."""
        account = self.account
        wait_for_orphans(account.sandbox.url)
        _ = account.stats  # what was sent by the dead is answered
        if account.is_kept():
            return
        died = hash_of(account.next_token or "")
        if suspects.get(died) == Where.REQUEST:
            self.figures.lost_in_request += 1
        elif suspects.get(died) == Where.ANSWERED:
            self.figures.lost_before_disk += 1
        else:
            self.figures.lost += 1
        account.authorise_anew()
