"""Running `tap-freshbooks login` as a user does, with a sandbox as FreshBooks."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

App = Callable[..., dict[str, Any]]
"""Registers an app (`redirect_uri`, `scopes`) and returns the settings that name it."""

LOGIN = [sys.executable, "-m", "tap_freshbooks", "login"]


def decide(url: str, decision: str = "allow", **changes: str) -> str:
    """Open the consent page, press a button there, and return where the browser is sent."""
    question = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    form = {**question, "decision": decision, **changes}
    answer = requests.post(url.partition("?")[0], form, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def code_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["code"][0]


def exchanges(sandbox: Sandbox, settings: Mapping[str, Any]) -> int:
    """How often the token endpoint was asked."""
    paths = sandbox.stats(settings["client_id"])["paths"]
    count: int = paths.get("POST /auth/oauth/token", 0)
    return count


@dataclass
class Answer:
    """An answer of the local page."""

    status: int
    headers: Mapping[str, str]
    text: str


def browse(
    url: str,
    *,
    host: str | None = None,
    form: Mapping[str, Any] | None = None,
    timeout: float = 30,
) -> Answer:
    """Ask the local page, whatever its certificate; redirects are not followed."""
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        "127.0.0.1", parts.port, context=context, timeout=timeout
    )
    headers = {"Host": host or parts.netloc}
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form, doseq=True)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read().decode())
    finally:
        connection.close()


class Running:
    """A login that has shown its address and waits for the answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output = ""
        self.url = self.read_until("http").strip()

    def read_until(self, beginning: str) -> str:
        """Read lines until one that begins so; it is returned."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if line.startswith(beginning):
                return line
        pytest.fail(f"The login ended early: {self.output} {self.process.communicate()[1]}")

    def decide(self, decision: str = "allow", **changes: str) -> str:
        return decide(self.url, decision, **changes)

    def finish(self, pasted: str | None = None) -> tuple[int, str, str]:
        """Paste, wait for the end: exit status, stdout, stderr."""
        rest, error = self.process.communicate(pasted and f"{pasted}\n", timeout=60)
        self.output += rest
        return self.process.returncode, self.output, error


class Logins:
    """Starts logins in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, settings: Mapping[str, Any], name: str = "config.json") -> Path:
        path = self.folder / name
        path.write_text(json.dumps(settings, indent=4) + "\n")
        return path

    def command(
        self, *options: str, environ: Mapping[str, str] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder), **(environ or {})}
        return [*LOGIN, *options], environment

    @contextmanager
    def start(self, *options: str, environ: Mapping[str, str] | None = None) -> Iterator[Running]:
        command, environment = self.command(*options, environ=environ)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def fail(self, *options: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a login that cannot begin: exit status and stderr."""
        command, environment = self.command(*options, environ=environ)
        done = subprocess.run(
            command, input="", capture_output=True, text=True, env=environment, check=False
        )
        assert "http" not in done.stdout, done.stdout
        return done.returncode, done.stderr


@pytest.fixture
def logins(tmp_path: Path) -> Logins:
    return Logins(tmp_path)


@pytest.fixture
def app(sandbox: Sandbox) -> App:
    """Settings of a new app that no user has authorised yet."""

    def register(**registration: Any) -> dict[str, Any]:
        settings = sandbox.config(**registration)
        del settings["refresh_token"]
        return {**settings, "requests_per_second": 1000}

    return register


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
