"""Passwords in the URLs of settings: no command shows them."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import TransientError
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
from tap_freshbooks.oauth.tokens import TokenPair
from tests.support import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

USERS = ["u:p4ssw0rd", "u:p4ss@w0rd", "p4ssw0rd"]


def with_user(url: str, user: str) -> str:
    return url.replace("://", f"://{user}@")


@pytest.fixture
def run(command: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """Runs a command; returns its status and all that it shows, logs of all levels included."""

    def run(config: dict[str, Any] | None, *arguments: str) -> tuple[int, str]:
        path = tmp_path / "config.json"
        if config is not None:
            path.write_text(json.dumps({**QUICK, "max_attempts": 1, **config}))
        caplog.set_level(logging.DEBUG)
        status, output, error = command(*arguments, "--config", str(path))
        return status, output + error + caplog.text

    return run


def check(shown: str) -> None:
    assert "p4ss" not in shown
    assert "w0rd" not in shown


@pytest.mark.parametrize("user", USERS)
def test_no_command_shows_a_password_of_api_url(run: Any, sandbox: Sandbox, user: str) -> None:
    config = {**sandbox.config(), "api_url": with_user(sandbox.url, user)}
    status, shown = run(config, "api", "/auth/api/v1/users/me")
    assert status == 0
    check(shown)
    status, shown = run(None, "status")
    assert status == 0
    assert "Connected to http://" in shown
    check(shown)


@pytest.mark.parametrize("user", USERS)
def test_a_server_that_does_not_answer_is_named_without_a_password(run: Any, user: str) -> None:
    url = with_user("http://127.0.0.1:1", user)
    place = "http://…" if "@" in user else "http://***@127.0.0.1:1"
    status, shown = run({"api_url": url, "access_token": "x"}, "api", "/auth/api/v1/users/me")
    assert status == 1
    assert f"Is {place} reachable" in shown
    check(shown)
    endpoint = TokenEndpoint(url, "app", "secret", None, "test")
    with pytest.raises(TransientError, match=re.escape(f"the token request to {place} was not")):
        endpoint.refresh(TokenPair("r"))


def test_passwords_that_a_login_would_show_are_refused(run: Any, sandbox: Sandbox) -> None:
    config = sandbox.config()
    for name in ("auth_url", "redirect_uri"):
        url = with_user(config.get(name) or sandbox.url, "u:p4ssw0rd")
        status, shown = run({**config, name: url}, "login", "--paste")
        assert status == 2
        assert f"the setting {name} " in shown
        assert "p4ssw0rd" not in shown


@pytest.mark.parametrize("name", ["api_url", "auth_url", "auth_failure_url"])
@pytest.mark.parametrize("user", ["u:p4ss/w0rd", "u:p4ss#w0rd", "u:p4ssw0rdß"])
def test_a_url_that_is_none_is_not_quoted(run: Any, name: str, user: str) -> None:
    status, shown = run({name: f"https://{user}@host", "access_token": "x"}, "status")
    assert status == 2
    assert name in shown
    assert "p4ss" not in shown


@pytest.mark.parametrize("user", ["u:12/p4ssw0rd", "u:12#p4ssw0rd", "u:12?p4ssw0rd"])
def test_a_password_that_looks_like_a_path_is_not_sent_anywhere(run: Any, user: str) -> None:
    settings = {"api_url": f"http://{user}@127.0.0.1:1", "access_token": "x"}
    status, shown = run(settings, "api", "/auth/api/v1/users/me")
    assert status == 2
    assert "api_url must be a url" in shown.lower()
    check(shown)


def test_about_shows_no_settings(run: Any, sandbox: Sandbox) -> None:
    config = {**sandbox.config(), "token_store": "postgresql+psycopg://u:p4ssw0rd@127.0.0.1:1/db"}
    for arguments in (["--about", "--format=json"], ["--discover"]):
        status, shown = run(config, *arguments)
        assert status == 0
        assert "p4ssw0rd" not in shown


@pytest.mark.parametrize("user", [*USERS, "u:p4ss/w0rd", "u:p4ss#w0rd"])
def test_no_password_of_a_proxy_is_shown(
    run: Any, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, with_user("http://127.0.0.1:1", user))
    settings = {"api_url": "http://api.example", "access_token": "x"}
    status, shown = run(settings, "api", "/auth/api/v1/users/me")
    assert status in {1, 2}
    check(shown)
