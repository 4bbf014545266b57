from __future__ import annotations

import json
import re
import signal
import time
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.businesses import Business
from tap_freshbooks.login import html_pages
from tap_freshbooks.login.account import Account
from tap_freshbooks.login.next_steps import Step
from tests.login.conftest import Answer, App, Logins, browse, code_in, exchanges, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.login.conftest import Running


class Page:
    """A login that waits for its local page to be asked."""

    def __init__(self, login: Running, settings: dict[str, Any], path: Path) -> None:
        self.login = login
        self.settings = settings
        self.path = path
        self.origin = settings["redirect_uri"].removesuffix("/callback")

    def enter(self) -> str:
        """Agree, and return the address of the form."""
        answer = browse(self.login.decide())
        assert answer.status == 303, answer.text
        return f"{self.origin}{answer.headers['location']}"

    def get(self, path: str) -> Answer:
        return browse(self.origin + path)


@pytest.fixture
def local(app: App, logins: Logins) -> Iterator[Page]:
    settings = app(redirect_uri=f"https://localhost:{free_port()}/callback")
    path = logins.write(settings)
    with logins.start("--config", str(path)) as login:
        yield Page(login, settings, path)


def test_from_the_consent_to_the_chosen_businesses(sandbox: Sandbox, local: Page) -> None:
    first, second, third, foreign = sandbox.businesses()[:4]
    answer = local.login.decide()
    form = local.origin + browse(answer).headers["location"]
    assert code_in(answer) not in form
    shown = browse(form).text
    for business in (first, second, third):
        assert f'<input type="checkbox" name="business" value="{business["id"]}" checked>' in shown
        assert escape(business["name"]) in shown
    assert f'value="{foreign["id"]}" disabled>' in shown
    assert "40 streams" in shown
    done = browse(form, form={"business": [first["id"], third["id"]]})
    assert done.status == 200
    assert "You can close this window." in done.text
    status, output, error = local.login.finish()
    assert (status, error) == (0, "")
    assert json.loads(local.path.read_text()) == {
        **local.settings,
        "business_ids": [first["id"], third["id"]],
    }
    for text in (done.text, output):
        assert "Reads 2 of 3 businesses; business_ids in " in text
        assert "meltano run tap-freshbooks target-postgres" in text
        assert f"tap-freshbooks --config {local.path} | target-jsonl" in text
    assert "Your browser will warn you about the certificate" in output
    assert code_in(answer) not in output
    assert local.settings["client_secret"] not in output + shown + done.text


def test_every_answer_has_the_headers_that_protect_it(local: Page) -> None:
    form = local.enter()
    answers = [
        browse(form),
        local.get("/callback?code=x&state=y"),
        local.get("/"),
        browse(form, host="evil.example"),
    ]
    assert [answer.status for answer in answers] == [200, 400, 404, 400]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'; frame-ancestors 'none'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1:{port}", "localhost:1"])
def test_another_name_is_refused_so_that_no_site_can_point_here(local: Page, host: str) -> None:
    port = local.origin.rpartition(":")[2]
    answer = local.login.decide()
    assert browse(answer, host=host.format(port=port)).status == 400
    assert browse(answer).status == 303


def test_a_reload_or_a_second_tab_does_not_exchange_again(sandbox: Sandbox, local: Page) -> None:
    first, second = local.login.decide(), local.login.decide()
    places = {browse(each).headers["location"] for each in (first, first, second, first)}
    assert len(places) == 1
    assert exchanges(sandbox, local.settings) == 1


def test_only_the_path_of_this_login_leads_to_the_form(local: Page) -> None:
    form = local.enter()
    wrong = form[:-1] + ("A" if form[-1] != "A" else "B")
    assert browse(wrong).status == 404
    assert browse(wrong, form={"business": ["1"]}).status == 404
    assert browse(f"{local.origin}/login/").status == 404


def test_a_wrong_state_does_not_end_the_login(sandbox: Sandbox, local: Page) -> None:
    forged = browse(local.login.decide(state="another"))
    assert forged.status == 400
    assert "its state is another" in forged.text
    assert exchanges(sandbox, local.settings) == 0
    assert browse(local.login.decide()).status == 303


def test_a_declined_consent_ends_it(local: Page) -> None:
    answer = browse(local.login.decide("deny"))
    assert answer.status == 400
    assert "The consent was declined in FreshBooks" in answer.text
    status, _, error = local.login.finish()
    assert status == 1
    assert error.startswith("Error: the consent was declined in FreshBooks")


def test_a_consent_that_is_declined_too_late_does_no_harm(local: Page) -> None:
    form = local.enter()
    assert browse(local.login.decide("deny")).status == 400
    assert browse(form).status == 200


def test_an_expired_code_ends_it(own_sandbox: Sandbox, logins: Logins) -> None:
    settings = own_sandbox.config(redirect_uri=f"https://localhost:{free_port()}/callback")
    with logins.start("--config", str(logins.write(settings))) as login:
        answer = login.decide()
        own_sandbox.clock(advance=301)
        shown = browse(answer)
        status, output, error = login.finish()
    assert shown.status == 400
    assert status == 3
    assert "older than 5 minutes" in error
    assert "older than 5 minutes" in shown.text
    assert code_in(answer) not in output + error + shown.text


def test_at_least_one_business_must_be_ticked(local: Page) -> None:
    form = local.enter()
    answer = browse(form, form={"business": ["1", "x", "9" * 5000]})
    assert answer.status == 422
    assert "Tick at least one business." in answer.text
    assert local.login.process.poll() is None
    assert browse(form).status == 200


def test_a_business_of_another_user_cannot_be_ticked(sandbox: Sandbox, local: Page) -> None:
    first, foreign = sandbox.businesses()[0]["id"], sandbox.businesses()[3]["id"]
    assert browse(local.enter(), form={"business": [foreign, first]}).status == 200
    assert local.login.finish()[0] == 0
    assert json.loads(local.path.read_text())["business_ids"] == [first]


def test_the_businesses_of_the_settings_are_ticked_at_first(
    sandbox: Sandbox, app: App, logins: Logins
) -> None:
    first, second, third = (business["id"] for business in sandbox.businesses()[:3])
    redirect_uri = f"https://localhost:{free_port()}/callback"
    path = logins.write({**app(redirect_uri=redirect_uri), "business_ids": [second]})
    path.chmod(0o640)
    with logins.start("--config", str(path)) as login:
        local = Page(login, json.loads(path.read_text()), path)
        form = local.enter()
        ticked = re.findall(r'value="(\d+)" checked', browse(form).text)
        assert ticked == [str(second)]
        browse(form, form={"business": [first, second, third]})
        assert login.finish()[0] == 0
    assert "business_ids" not in json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o640


def test_tokens_and_choice_share_a_file(sandbox: Sandbox, logins: Logins) -> None:
    settings = sandbox.config(redirect_uri=f"https://localhost:{free_port()}/callback")
    path = logins.write({"note": "mine", **settings})
    first = sandbox.businesses()[0]["id"]
    with logins.start("--config", str(path)) as login:
        browse(Page(login, settings, path).enter(), form={"business": [first]})
        assert login.finish()[0] == 0
    content = json.loads(path.read_text())
    assert content["refresh_token"] != settings["refresh_token"]
    assert content["access_token"]
    assert content["business_ids"] == [first]
    kept = ("note", "client_id", "client_secret", "redirect_uri", "api_url", "auth_url")
    assert {name: content[name] for name in kept} == {
        name: value for name, value in {"note": "mine", **settings}.items() if name in kept
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_changed_is_told_of(sandbox: Sandbox, local: Page) -> None:
    form = local.enter()
    local.path.chmod(0o400)
    first = sandbox.businesses()[0]["id"]
    shown = browse(form, form={"business": [first]})
    status, _, error = local.login.finish()
    assert status == 1
    assert f"set business_ids to [{first}] there yourself" in error
    assert f"set business_ids to [{first}] there yourself" in shown.text


def test_it_does_not_wait_for_ever_for_the_consent(app: App, logins: Logins) -> None:
    path = logins.write(app(redirect_uri=f"https://localhost:{free_port()}/callback"))
    with logins.start("--config", str(path), "--timeout", "0.3") as login:
        status, _, error = login.finish()
    assert status == 1
    assert "no consent came within 0.3 seconds" in error


def test_a_page_that_is_left_changes_nothing(app: App, logins: Logins) -> None:
    settings = app(redirect_uri=f"https://localhost:{free_port()}/callback")
    path = logins.write(settings)
    with logins.start("--config", str(path), "--timeout", "5") as login:
        Page(login, settings, path).enter()
        status, output, _ = login.finish()
    assert status == 0
    assert "the choice of businesses stays as it was" in output
    assert json.loads(path.read_text()) == settings


@pytest.mark.parametrize(("signum", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once(local: Page, signum: int, expected: int) -> None:
    begin = time.monotonic()
    local.login.process.send_signal(signum)
    status, output, error = local.login.finish()
    assert status == expected
    assert "Traceback" not in error
    assert '"type":"STATE"' not in output
    assert time.monotonic() - begin < 20


def test_a_signal_during_the_exchange_does_not_lose_the_tokens(
    sandbox: Sandbox, local: Page, logins: Logins
) -> None:
    client_id = local.settings["client_id"]
    sandbox.faults("latency", client_id=client_id, path="*/oauth/token", seconds=7)
    answer = local.login.decide()
    with pytest.raises(TimeoutError):
        browse(answer, timeout=2)
    local.login.process.send_signal(signal.SIGINT)
    status, _, error = local.login.finish()
    assert (status, error.strip()) == (130, "Error: interrupted")
    (file,) = (logins.folder / "tap-freshbooks").glob("*.json")
    assert json.loads(file.read_text())["refresh_token"]


def hostile(text: str) -> Account:
    business = Business(1, "a", "u", text, text, frozenset())
    return Account(
        user=text,
        businesses=(business,),
        readable=("invoices",),
        refused={("user:taxes:read",): [text]},
        unselected={},
    )


def test_whatever_freshbooks_sends_is_text() -> None:
    text = """<script>alert(1)</script>" onfocus='x' &amp;"""
    shown = (
        html_pages.selection_page(hostile(text), [1], problem=text)
        + html_pages.finished_page([Step(text, text)])
        + html_pages.failure_page(text, final=True)
    )
    assert "<script" not in shown
    assert shown.count(escape(text)) == 8


def test_a_hostile_name_of_a_business_on_the_way(own_sandbox: Sandbox, logins: Logins) -> None:
    name = "<img src=x onerror=alert(1)>\x1b]0;owned\x07"
    own_sandbox.state.store.businesses[0].name = name
    settings = own_sandbox.config(redirect_uri=f"https://localhost:{free_port()}/callback")
    path = logins.write(settings)
    with logins.start("--config", str(path)) as login:
        form = Page(login, settings, path).enter()
        shown = browse(form).text
        business_id = own_sandbox.businesses()[0]["id"]
        assert browse(form, form={"business": [business_id]}).status == 200
        status, output, _ = login.finish()
    assert status == 0
    assert "<img" not in shown
    assert escape("<img src=x onerror=alert(1)>") in shown
    assert "\x1b" not in output
