"""Machines that lack something, with real processes: `python -m tests.faults.machines [WORD]`.

Each row is a command line on a machine with a fault. It must end in time, with its status, and
without a traceback or an unexpected error. WORD chooses the rows whose names contain it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freshbooks_sandbox import Sandbox
from tests.support import QUICK, catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60
"""Seconds within which each command has to end."""

TAP = f'"{sys.executable}" -m tap_freshbooks'
SYNC = "--config config.json --catalog catalog.json"
HERE = " --config config.json"

WRITERS = {
    "help": ("--help", 0),
    "about": ("--about", 0),
    "discover": ("--discover", 0),
    "sync": (SYNC, 0),
    "status": (f"status{HERE}", 0),
    "estimate": (f"estimate{HERE}", 0),
    "doctor": (f"doctor{HERE}", 0),
    "api": (f"api{HERE} /auth/api/v1/users/me", 0),
    "unified": ("unified", 0),
    "logout": (f"logout{HERE}", 0),
    "usage": ("statsu", 2),
    "option": ("--nonsense", 2),
    "dead": ("--config dead.json", 3),
}
"""Commands, and how they end on a machine that lacks nothing."""

STREAMS = {"closed": "{}>&-", "full": "{}>/dev/full", "broken pipe": "{}> >(:)"}

PLACES = {
    "/dev/full": "/dev/full",
    "/dev/null": "/dev/null",
    "pipe": "pipe",
    "folder": "folder",
    "loop": "loop",
    "below /proc": "/proc/nowhere/file",
    "in /proc": "/proc/version",
}

NO_HOME = {"HOME": "/", "TMPDIR": "/nonexistent"}

LIMITS = {
    "files": "ulimit -n 10",
    "memory": "ulimit -v 153600",
    "umask": "umask 0777",
    "threads": "ulimit -u 8",
}


class Row(NamedTuple):
    """A machine, a command line on it, and the status with which it has to end."""

    name: str
    arguments: str
    status: int
    before: str = ""
    redirect: str = ""
    settings: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    environment: dict[str, str] = {}  # noqa: RUF012
    runner: tuple[str, ...] = ()


NOBODY = (
    *("setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
)
"""Runs a command as a user without an entry in `/etc/passwd`, who may read all and write little."""

READ_ONLY = (
    *("unshare", "--mount", "bash", "-c"),
    """mount --make-rprivate / && mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro / &&
    mount -o remount,bind,ro /dev/shm && cd "$PWD" && exec "$@\"""",
    "bash",
)
"""Runs a command on a machine where only the working directory can be written."""


def rows() -> list[Row]:
    """All rows that this machine can show."""
    return [*_streams(), *_places(), *_lacks(), *_users(), *_read_only_roots()]


def _streams() -> Iterator[Row]:
    for fault, redirect in STREAMS.items():
        for name, (arguments, status) in WRITERS.items():
            yield Row(f"stderr {fault}: {name}", arguments, status, "", redirect.format(2))
            if status == 0:
                yield Row(f"stdout {fault}: {name}", arguments, 1, "", redirect.format(1))


def _places() -> Iterator[Row]:
    for place, path in PLACES.items():
        refused = 2 if place == "loop" else 1
        for kind, location in (("file", path), ("sqlite", f"sqlite:///{path}")):
            yield Row(f"store {kind} {place}", SYNC, refused, settings={"token_store": location})
        yield Row(f"inbox {place}", SYNC, refused, settings={"webhook_inbox": path})
        yield Row(f"config {place}", f"--config {path}", 2)
        for option in ("catalog", "state"):
            status = 0 if (option, place) == ("state", "/dev/null") else 2  # that is an empty one
            yield Row(f"{option} {place}", f"{SYNC} --{option} {path}", status)


def _lacks() -> Iterator[Row]:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name in ("sync", "status", "discover"):
        yield Row(f"no UTF-8: {name}", WRITERS[name][0], 0, environment=ascii_only)
    yield Row("no stdin", SYNC, 0, redirect="<&-")
    gone = "mkdir gone; cd gone; rmdir ../gone"
    yield Row("no working directory", "--help", 0, gone, "1>/dev/null 2>&1")
    yield Row("no time zones of the system", SYNC, 0, environment={"PYTHONTZPATH": ""})


def _users() -> Iterator[Row]:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return
    yield Row("no user", SYNC, 0, environment=NO_HOME, runner=NOBODY)
    for limit, command in LIMITS.items():
        yield Row(f"limit of {limit}", SYNC, 0, command, runner=NOBODY)


def _read_only_roots() -> Iterator[Row]:
    if not _can(READ_ONLY):
        return
    elsewhere = "/var/lib/tap-freshbooks/tokens.json"
    for store, status in (("tokens.json", 0), ("sqlite:///tokens.db", 0), (elsewhere, 1)):
        settings = {"token_store": store}
        yield Row(f"read-only root {store}", SYNC, status, "", "", settings, NO_HOME, READ_ONLY)


def _can(runner: tuple[str, ...]) -> bool:
    """Whether this machine lets us run a command so."""
    with tempfile.TemporaryDirectory() as folder:
        command = (*runner, "touch", "file")
        return not subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def tried(row: Row, sandbox: Sandbox) -> str:
    """Run a row; what is wrong with its end, if anything is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        os.mkfifo(folder / "pipe")
        (folder / "folder").mkdir()
        (folder / "loop").symlink_to("loop")
        settings = {**sandbox.config(), **QUICK, "token_store": "tokens.json", **row.settings}
        dead = {**settings, "token_store": "dead-tokens.json", "refresh_token": "0" * 64}
        for file, content in (
            ("config.json", settings),
            ("dead.json", dead),
            ("catalog.json", catalog_of("taxes", "clients")),
        ):
            (folder / file).write_text(json.dumps(content))
        output = ">out" if "1>" not in row.redirect else ""
        errors = "2>err" if "2>" not in row.redirect else ""
        before = f"{row.before}; " if row.before else ""
        line = f"{before}exec {TAP} {row.arguments} {output} {errors} {row.redirect}"
        process = subprocess.Popen(
            (*row.runner, "bash", "-c", line),
            cwd=folder,
            env={**os.environ, **row.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return f"does not end within {TIMEOUT} seconds"
        told = (folder / "err").read_text() if (folder / "err").exists() else ""
        odd = [word for word in ("Traceback", "unexpected", "Logging error") if word in told]
        if status == row.status and not odd:
            return ""
        return f"status {status} instead of {row.status}; {' '.join(told.splitlines()[-1:])}"


def main() -> None:
    """Try each row and show it; exit status 1 if one is not as it has to be."""
    word = sys.argv[1] if sys.argv[1:] else ""
    wrong = 0
    with Sandbox(invoices=60, rate_limit=0) as sandbox:
        chosen = [row for row in rows() if word in row.name]
        for row in chosen:
            began = time.monotonic()
            problem = tried(row, sandbox)
            wrong += bool(problem)
            end = problem or f"status {row.status}, as it has to be"
            sys.stdout.write(f"{row.name:40} {time.monotonic() - began:5.1f} s  {end}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - wrong} passed, {wrong} failed\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
