"""The steps of a refresh, as system calls and statements, and a death right before or after one."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine.default import DefaultDialect

from tap_freshbooks.oauth.stores.base import LockedStore
from tap_freshbooks.oauth.stores.file import LockedFile
from tap_freshbooks.oauth.stores.sql import LockedRow
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.account import Client

SENT = "request: after sendall"
"""From the last of these on, FreshBooks has the refresh token."""

STORED = ("pair: before rename", "pair: before COMMIT")
"""Until the last of these, the new pair is in the memory of a process only."""


class Steps:
    """Says each moment before and after a step of this process; may kill it at one of them.

    Args:
        say: Takes the name of each moment.
        last: The number of the moment that is the last one; None for no end.
    """

    def __init__(self, say: Callable[[str], None], last: int | None) -> None:
        self.say = say
        self.last = last
        self.number = 0
        self.phase = "lock"

    def watch(self) -> None:
        """Follow a refresh from here on."""
        self._phase(LockedStore, "check_writable", "note", then="look")
        for store in (LockedFile, LockedRow):
            self._phase(store, "_reserve", "reserve", then="look")
        self._phase(TokenEndpoint, "refresh", "request", then="look")
        self._phase(LockedStore, "write", "pair", then="end")

        self._step(fcntl, "flock", lambda _fd, how: "unlock" if how & fcntl.LOCK_UN else "lock")
        self._step(os, "open", _open_name)
        self._step(os, "write", lambda *_: "write")
        self._step(os, "fsync", _fsync_name)
        self._step(os, "replace", lambda *_: "rename")
        self._step(os, "unlink", lambda *_: "unlink")
        self._step(socket.socket, "connect", lambda *_: "connect")
        self._step(socket.socket, "sendall", lambda *_: "sendall")
        # How many of them there are is the network's mood.
        self._step(socket.socket, "recv_into", lambda *_: "recv", times=1)
        self._step(DefaultDialect, "connect", lambda *_: "connect")
        self._step(DefaultDialect, "do_execute", lambda _dialect, _cursor, sql, *_: sql.split()[0])
        self._step(DefaultDialect, "do_commit", lambda *_: "COMMIT")
        self._step(DefaultDialect, "do_rollback", lambda *_: "ROLLBACK")
        self._step(DefaultDialect, "do_close", lambda *_: "close")

    def _reach(self, moment: str) -> None:
        self.say(f"{self.phase}: {moment}")
        if self.number == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.number += 1

    def _step(
        self, owner: Any, name: str, describe: Callable[..., str], times: int | None = None
    ) -> None:
        original = getattr(owner, name)
        left = times

        def watched(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            if left is not None:
                left -= 1
                if left < 0:
                    return original(*arguments, **more)
            step = describe(*arguments)
            self._reach(f"before {step}")
            result = original(*arguments, **more)
            self._reach(f"after {step}")
            return result

        setattr(owner, name, watched)

    def _phase(self, owner: Any, name: str, phase: str, then: str) -> None:
        original = getattr(owner, name)

        def watched(*arguments: Any, **more: Any) -> Any:
            self.phase = phase
            result = original(*arguments, **more)
            self.phase = then
            return result

        setattr(owner, name, watched)


def refresh_step_by_step(
    client: Client, say: Callable[[Any], None], rejected: str, last: int | None
) -> str:
    """Refresh once, and die at the moment of this number."""
    authenticator = client.new()
    Steps(say, last).watch()
    return authenticator.access_token(rejected=rejected)


def deadly(moments: list[str]) -> range:
    """The moments at which a death costs the token: from FreshBooks' knowing it to the disk."""
    sent = max(number for number, moment in enumerate(moments) if moment == SENT)
    stored = max(number for number, moment in enumerate(moments) if moment in STORED)
    return range(sent, stored + 1)


def _open_name(path: str | Path, *_: int) -> str:
    return "open folder" if Path(path).is_dir() else f"open {Path(path).name}"


def _fsync_name(fd: int) -> str:
    return "fsync folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "fsync file"
