"""The servers of a run, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from benchmarks import venvs
from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PER_PAGE = 100
PATIENCE = 60


class Stage:
    """The replay server, seen from outside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.records = 0
        self.latency = 0.0
        self.account: str = self.counts()["account"]

    def set(self, *, records: int, latency: float = 0.0) -> None:
        """Set the number of records and the latency; count from zero."""
        self.records, self.latency = records, latency
        _ask(f"{self.url}/bench?records={records}&latency={latency}", b"")

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.records // PER_PAGE)

    def counts(self) -> dict[str, Any]:
        """What was asked since the stage was set."""
        return _ask(f"{self.url}/bench")


@contextmanager
def replay() -> Iterator[Stage]:
    """Start the replay server, and end it."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=venvs.PROJECT) as process:
        assert process.stdout is not None  # noqa: S101 - for mypy; it is a pipe
        try:
            yield Stage(process.stdout.readline().decode().strip())
        finally:
            process.terminate()


class Sandbox:
    """The sandbox, seen from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    def settings(self) -> dict[str, Any]:
        """Settings for a tap, with an access token that needs no store."""
        app = _ask(f"{self.url}/_sandbox/apps", b"{}")
        names = ("client_id", "client_secret", "redirect_uri", "refresh_token")
        grant = {"grant_type": "refresh_token", **{name: app[name] for name in names}}
        token = _ask(f"{self.url}/auth/oauth/token", json.dumps(grant).encode())["access_token"]
        return {"access_token": token, "api_url": self.url, "auth_url": self.url}

    def businesses(self) -> list[dict[str, Any]]:
        """Identifiers of the businesses that the user owns."""
        found = _ask(f"{self.url}/_sandbox/businesses")["businesses"]
        return [each for each in found if each["role"] == "owner"]

    def truth(self, resource: str, business: int) -> list[dict[str, Any]]:
        """Every row as it stands, deleted ones included."""
        rows = _ask(f"{self.url}/_sandbox/truth/{resource}?business={business}")["rows"]
        return list(rows)

    def edit(self, action: str, resource: str, **rest: Any) -> dict[str, Any]:
        """Create, update or delete a row of the first business."""
        body = {"action": action, "resource": resource, "business": "1", **rest}
        found: dict[str, Any] = _ask(f"{self.url}/_sandbox/edit", json.dumps(body))["rows"][0]
        return found

    def latency(self, seconds: float) -> None:
        """Answer everything late, from now on."""
        _ask(f"{self.url}/_sandbox/faults", json.dumps({"fault": "latency", "seconds": seconds}))

    def counts(self) -> dict[str, Any]:
        """What was asked since the last clearing."""
        return _ask(f"{self.url}/_sandbox/stats")

    def clear(self) -> None:
        """Count from zero."""
        _ask(f"{self.url}/_sandbox/stats", method="DELETE")


@contextmanager
def sandbox(
    folder: Path, invoices: int, rate_limit: int = 0, behaviours: Sequence[str] = ()
) -> Iterator[Sandbox]:
    """Start a sandbox, by default without a rate limit, and end it."""
    config = folder / "sandbox.json"
    config.unlink(missing_ok=True)
    options = ["--port", "0", "--rate-limit", str(rate_limit), "--invoices", str(invoices)]
    options += [option for each in behaviours for option in ("--behaviour", each)]
    command = [sys.executable, "-m", "tap_freshbooks", "sandbox", *options, "--config", str(config)]
    with (
        (folder / "sandbox.log").open("wb") as log,
        subprocess.Popen(command, stderr=log, cwd=venvs.PROJECT) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while not config.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise BenchmarkError("the sandbox did not start")
                time.sleep(0.05)
            yield Sandbox(json.loads(config.read_text("utf-8"))["api_url"])
        finally:
            process.terminate()


def _ask(url: str, body: str | bytes | None = None, method: str | None = None) -> dict[str, Any]:
    data = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, data, headers, method=method), timeout=PATIENCE) as answer:  # noqa: S310
        content = answer.read()
    found: dict[str, Any] = json.loads(content) if content else {}
    return found
