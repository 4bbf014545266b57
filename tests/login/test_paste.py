from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tap_freshbooks.login.scopes import required_by, selected_streams
from tap_freshbooks.tap import TapFreshBooks
from tests.login.conftest import LOGIN, App, Logins, code_in, decide, exchanges, free_port
from tests.support import catalog_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freshbooks_sandbox import Sandbox


def tokens_below(folder: Path) -> dict[str, Any]:
    """The tokens in the user's state directory."""
    (file,) = (folder / "tap-freshbooks").glob("*.json")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def test_a_pasted_address_connects_the_account(
    sandbox: Sandbox, app: App, logins: Logins, tap_output: Callable[[Path], str]
) -> None:
    settings = app()
    path = logins.write(settings)
    before = path.read_bytes()
    with logins.start("--config", str(path)) as login:
        answer = login.decide()
        status, output, error = login.finish(answer)
    assert (status, error) == (0, "")
    first, second, third, foreign = sandbox.businesses()[:4]
    assert "Connected as " in output
    for business in (first, second, third):
        assert f"{business['name']} (business {business['id']}): owner" in output
    assert f"(business {foreign['id']}): only a client of it" in output
    tokens = tokens_below(logins.folder)
    assert f"The tokens are in {logins.folder / 'tap-freshbooks'}" in output
    assert f"tap-freshbooks --config {path} | target-jsonl" in output
    assert "meltano run tap-freshbooks target-postgres" in output
    assert f"set business_ids in {path}" in output
    assert path.read_bytes() == before
    secrets = [code_in(answer), tokens["access_token"], tokens["refresh_token"]]
    assert all(secret not in output for secret in [*secrets, settings["client_secret"]])
    assert '"type":"RECORD","stream":"identity"' in tap_output(path)
    assert sandbox.stats(settings["client_id"])["spent_refresh_tokens"] == 0


@pytest.fixture
def tap_output(logins: Logins) -> Callable[[Path], str]:
    """What a sync of `identity` writes, with the tokens of the login."""

    def run(path: Path) -> str:
        catalog = logins.write(catalog_of("identity"), "catalog.json")
        command = [sys.executable, "-m", "tap_freshbooks", "--config", str(path)]
        environ = {**os.environ, "XDG_STATE_HOME": str(logins.folder)}
        return subprocess.run(
            [*command, "--catalog", str(catalog)],
            capture_output=True,
            text=True,
            check=True,
            env=environ,
        ).stdout

    return run


def test_a_code_alone_is_enough(app: App, logins: Logins) -> None:
    with logins.start("--config", str(logins.write(app()))) as login:
        status, output, _ = login.finish(code_in(login.decide()))
    assert status == 0
    assert "Connected as " in output


def test_a_login_again_takes_the_place_of_the_old_tokens(
    sandbox: Sandbox, logins: Logins, tap_output: Callable[[Path], str]
) -> None:
    settings = {"note": "mine", **sandbox.config(), "business_ids": [], "x": {"b": 1, "a": 2}}
    path = logins.write(settings)
    with logins.start("--config", str(path)) as login:
        status, output, _ = login.finish(login.decide())
    assert status == 0
    assert f"The tokens are in {path}" in output
    content = json.loads(path.read_text())
    assert content["refresh_token"] != settings["refresh_token"]
    assert [name for name in content if name in settings] == list(settings)
    assert all(content[name] == settings[name] for name in settings if name != "refresh_token")
    assert path.read_text().startswith('{\n    "note": "mine",\n')
    tap_output(path)
    assert sandbox.stats(settings["client_id"])["spent_refresh_tokens"] == 0


def test_the_environment_serves_as_configuration(
    sandbox: Sandbox, app: App, logins: Logins
) -> None:
    settings = app()
    names = ("client_id", "client_secret", "redirect_uri", "api_url", "auth_url")
    environ = {f"TAP_FRESHBOOKS_{name.upper()}": settings[name] for name in names}
    environ["MELTANO_PROJECT_ROOT"] = str(logins.folder)
    with logins.start("--config", "ENV", environ=environ) as login:
        status, output, _ = login.finish(login.decide())
    assert status == 0
    assert list((logins.folder / ".meltano" / "tap-freshbooks").glob("*.json"))
    assert "tap-freshbooks --config ENV | target-jsonl" in output
    first = sandbox.businesses()[0]["id"]
    assert f"export TAP_FRESHBOOKS_BUSINESS_IDS='[{first}]'" in output
    assert f"meltano config set tap-freshbooks business_ids '[{first}]'" in output


def test_only_the_scopes_of_the_catalog_are_asked_for(app: App, logins: Logins) -> None:
    catalog = logins.write(catalog_of("invoices", "invoice_lines", "payments"), "some catalog.json")
    path = logins.write(app())
    with logins.start("--config", str(path), "--catalog", str(catalog)) as login:
        assert "scope=user%3Ainvoices%3Aread+user%3Apayments%3Aread+user%3Aprofile" in login.url
        status, output, _ = login.finish(login.decide())
    assert status == 0
    assert "Streams that the token may read: 3\n" in output
    assert f"--config {path} --catalog '{catalog}' |" in output


def test_without_a_list_or_a_catalog_the_scopes_of_the_default_streams_are_asked_for(
    app: App, logins: Logins
) -> None:
    wanted = required_by(selected_streams(TapFreshBooks(config={}, setup_mapper=False)))
    assert len(wanted) > 10
    path = str(logins.write(app()))
    for options in ((), ("--scopes", "")):
        with logins.start("--config", path, *options) as login:
            asked = parse_qs(urlsplit(login.url).query)["scope"]
            assert asked == [" ".join(wanted)]
            login.finish(login.decide("deny"))


def test_streams_whose_scope_is_left_out_are_named(app: App, logins: Logins) -> None:
    path = logins.write(app(scopes=["user:invoices:read"]))
    with logins.start("--config", str(path), "--scopes", "user:invoices:read") as login:
        status, output, _ = login.finish(login.decide())
    assert status == 0
    assert "It may not read taxes (scope user:taxes:read)" in output


def test_a_declined_consent_ends_the_login(app: App, logins: Logins) -> None:
    with logins.start("--config", str(logins.write(app()))) as login:
        status, _, error = login.finish(login.decide("deny"))
    assert status == 1
    assert error.startswith("Error: the consent was declined in FreshBooks")
    assert not (logins.folder / "tap-freshbooks").exists()


def test_the_answer_of_another_login_is_refused(sandbox: Sandbox, app: App, logins: Logins) -> None:
    settings = app()
    with logins.start("--config", str(logins.write(settings))) as login:
        answer = login.decide(state="another")
        status, output, error = login.finish(answer)
    assert status == 1
    assert "its state is another" in error
    assert code_in(answer) not in output + error
    assert exchanges(sandbox, settings) == 0


def test_a_code_of_another_login_is_worth_nothing_alone(app: App, logins: Logins) -> None:
    path = str(logins.write(app()))
    with logins.start("--config", path) as one, logins.start("--config", path) as other:
        status, _, error = one.finish(code_in(other.decide()))
    assert status == 3
    assert "FreshBooks says that the code is spent, older than 5 minutes" in error


def test_an_expired_code_must_be_asked_for_again(own_sandbox: Sandbox, logins: Logins) -> None:
    settings = own_sandbox.config()
    del settings["refresh_token"]
    with logins.start("--config", str(logins.write(settings))) as login:
        answer = login.decide()
        own_sandbox.clock(advance=301)
        status, output, error = login.finish(answer)
    assert status == 3
    assert "older than 5 minutes" in error
    assert code_in(answer) not in output + error


def test_an_empty_input_ends_the_login(app: App, logins: Logins) -> None:
    with logins.start("--config", str(logins.write(app()))) as login:
        status, _, error = login.finish()
    assert status == 1
    assert "standard input ended before there was an answer" in error


def test_tokens_are_kept_even_if_the_identity_cannot_be_read(
    sandbox: Sandbox, app: App, logins: Logins
) -> None:
    settings = {**app(), "max_attempts": 1}
    sandbox.faults("status", client_id=settings["client_id"], path="*/users/me", status=503)
    with logins.start("--config", str(logins.write(settings))) as login:
        status, _, error = login.finish(login.decide())
    assert status == 1
    assert "Error: the tokens are stored in " in error
    assert tokens_below(logins.folder)["refresh_token"]


class TestBeforeAnythingIsShown:
    def test_the_app_must_be_named(self, app: App, logins: Logins) -> None:
        path = logins.write({**app(), "client_secret": None})
        status, error = logins.fail("--config", str(path))
        assert status == 2
        assert "client_secret" in error

    def test_an_access_token_alone_leaves_nothing_to_log_in_for(
        self, app: App, logins: Logins
    ) -> None:
        status, error = logins.fail(
            "--config", str(logins.write({**app(), "access_token": "secret"}))
        )
        assert status == 2
        assert "access_token" in error
        assert "secret" not in error.replace("client_secret", "")

    def test_a_redirect_uri_is_needed(self, app: App, logins: Logins) -> None:
        status, error = logins.fail("--config", str(logins.write({**app(), "redirect_uri": None})))
        assert status == 2
        assert "the setting redirect_uri is missing" in error
        assert "wants https" in error

    def test_scopes_must_be_scopes(self, app: App, logins: Logins) -> None:
        path = str(logins.write(app()))
        status, error = logins.fail("--config", path, "--scopes", "invoices")
        assert status == 2
        assert "'invoices', which is no scope" in error


class TestWithoutAPage:
    def test_a_taken_port_leads_to_pasting(self, app: App, logins: Logins) -> None:
        port = free_port()
        path = logins.write(app(redirect_uri=f"https://localhost:{port}/callback"))
        with (
            socket.create_server(("127.0.0.1", port)),
            logins.start("--config", str(path)) as login,
        ):
            status, output, _ = login.finish(login.decide())
        assert status == 0
        assert output.startswith(f"Port {port} cannot be listened on (Address already in use), so")

    def test_missing_packages_lead_to_pasting(self, app: App, logins: Logins) -> None:
        port = free_port()
        path = logins.write(app(redirect_uri=f"https://localhost:{port}/callback"))
        without = logins.folder / "without"
        without.mkdir()
        (without / "trustme.py").write_text("raise ModuleNotFoundError(name='trustme')")
        environ = {"PYTHONPATH": str(without)}
        with logins.start("--config", str(path), environ=environ) as login:
            status, output, _ = login.finish(login.decide())
        assert status == 0
        assert (
            "needs more packages (missing: trustme; pip install 'tap-freshbooks[login]')" in output
        )

    def test_pasting_on_request(self, app: App, logins: Logins) -> None:
        path = logins.write(app(redirect_uri=f"https://localhost:{free_port()}/callback"))
        with logins.start("--config", str(path), "--paste") as login:
            status, output, _ = login.finish(login.decide())
        assert status == 0
        assert "certificate" not in output


class Terminal:
    """A login whose input and output are a terminal."""

    def __init__(self, logins: Logins, *options: str, **environ: str) -> None:
        command, environment = logins.command(*options, environ=environ)
        self.shown = ""
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.execve(LOGIN[0], command, environment)  # noqa: S606 - as a shell does

    def wait_for(self, text: str) -> str:
        """What is shown until a text is."""
        deadline = time.monotonic() + 30
        begin = len(self.shown)
        while text not in self.shown[begin:]:
            assert time.monotonic() < deadline, self.shown
            self.shown += os.read(self._fd, 4096).decode()
        return self.shown[begin:]

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self, key: str = "") -> int:
        """The exit status; a key is pressed until it is heard.

        Between its last look at signals and the wait for a line, Python is deaf for a moment.
        """
        deadline = time.monotonic() + 60
        with suppress(OSError):  # the other side is gone
            while True:
                self.type(key)
                if select.select([self._fd], [], [], 5)[0]:
                    if not (chunk := os.read(self._fd, 4096)):
                        break
                    self.shown += chunk.decode()
                    key = ""
                assert time.monotonic() < deadline, self.shown
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


PROMPT = "it stays hidden): "


def url_in(shown: str) -> str:
    return next(line for line in shown.splitlines() if line.startswith("http"))


class TestOnATerminal:
    def test_a_wrong_paste_may_be_tried_again_and_nothing_secret_is_shown(
        self, sandbox: Sandbox, app: App, logins: Logins
    ) -> None:
        path = logins.write(app())
        terminal = Terminal(logins, "--config", str(path))
        answer = decide(url_in(terminal.wait_for(PROMPT)))
        terminal.type("https://localhost/callback?code=wrong&state=wrong\r")
        assert "Not yet: this is not the answer" in terminal.wait_for(PROMPT)
        terminal.type(f" '{answer}' \r")
        question = terminal.wait_for("Enter for all: ")
        second = sandbox.businesses()[1]
        assert f"2. {second['name']} (business {second['id']})" in question
        terminal.type("7\r")
        terminal.wait_for("Please give numbers from 1 to 3.")
        terminal.type("2\r")
        assert terminal.end() == 0
        assert json.loads(path.read_text())["business_ids"] == [second["id"]]
        assert f"Reads 1 of 3 businesses; business_ids in {path} says so." in terminal.shown
        tokens = tokens_below(logins.folder)
        secrets = [code_in(answer), tokens["access_token"], tokens["refresh_token"], "code=wrong"]
        assert all(secret not in terminal.shown for secret in secrets)

    def test_enter_keeps_the_businesses_as_they_are(
        self, sandbox: Sandbox, app: App, logins: Logins
    ) -> None:
        first = sandbox.businesses()[0]["id"]
        path = logins.write({**app(), "business_ids": [first]})
        before = path.read_bytes()
        terminal = Terminal(logins, "--config", str(path))
        terminal.type(decide(url_in(terminal.wait_for(PROMPT))) + "\r")
        assert "(not read so far)" in terminal.wait_for("Enter for as it is: ")
        terminal.type("\r")
        assert terminal.end() == 0
        assert path.read_bytes() == before

    def test_all_businesses_need_no_setting(
        self, sandbox: Sandbox, app: App, logins: Logins
    ) -> None:
        first = sandbox.businesses()[0]["id"]
        path = logins.write({**app(), "business_ids": [first], "user_agent": "x"})
        terminal = Terminal(logins, "--config", str(path))
        terminal.type(decide(url_in(terminal.wait_for(PROMPT))) + "\r")
        terminal.wait_for("Enter for ")
        terminal.type("1 2 3\r")
        assert terminal.end() == 0
        content = json.loads(path.read_text())
        assert "business_ids" not in content
        assert content["user_agent"] == "x"

    def test_control_c_ends_it(self, app: App, logins: Logins) -> None:
        terminal = Terminal(logins, "--config", str(logins.write(app())))
        terminal.wait_for(PROMPT)
        terminal.type("abc")
        assert terminal.end("\x03") == 130
        assert terminal.shown.rstrip().endswith("Error: interrupted")

    def test_a_browser_is_opened_only_where_there_is_a_screen(
        self, app: App, logins: Logins
    ) -> None:
        seen = logins.folder / "seen"
        browser = logins.folder / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
        browser.chmod(0o755)
        path = str(logins.write(app()))
        for options, display in [((), ""), (("--no-browser",), ":9"), ((), ":9")]:
            assert not seen.exists()
            environ = {"BROWSER": str(browser), "DISPLAY": display, "WAYLAND_DISPLAY": ""}
            terminal = Terminal(logins, "--config", path, *options, **environ)
            terminal.wait_for(PROMPT)
            if display and not options:
                deadline = time.monotonic() + 30
                while not (seen.exists() and seen.read_text()):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            terminal.type("\x03")
            terminal.end()
        assert seen.read_text() == url_in(terminal.shown)
