from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.login.conftest import Logins, free_port
from tests.support import catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

    from freshbooks_sandbox import Sandbox
    from tests.login.conftest import Running

CONNECTED = "Your FreshBooks account is connected"


@pytest.fixture
def logins(tmp_path: Path) -> Logins:
    return Logins(tmp_path)


@pytest.fixture
def path(sandbox: Sandbox, logins: Logins) -> Path:
    """A configuration that can be answered by a page of ours."""
    settings = sandbox.config(redirect_uri=f"https://localhost:{free_port()}/callback")
    del settings["refresh_token"]
    return logins.write({**settings, "requests_per_second": 1000})


@pytest.fixture
def login(logins: Logins, path: Path) -> Iterator[Running]:
    with logins.start("--config", str(path)) as running:
        yield running


@pytest.fixture
def without_scripts(browser: Browser) -> Iterator[Page]:
    with browser.new_context(ignore_https_errors=True, java_script_enabled=False) as context:
        yield context.new_page()


def agree(page: Page, login: Running) -> None:
    page.goto(login.url)
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CONNECTED)


def complaints_of(page: Page) -> list[str]:
    """What the browser will complain about on our page, the content security policy included."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.location["url"].startswith("https:"):  # not of the sandbox
            complaints.append(message.text)

    page.on("console", listen)
    return complaints


def test_by_keyboard_from_the_consent_to_a_sync_of_the_chosen_businesses(
    page: Page, login: Running, path: Path, sandbox: Sandbox, logins: Logins
) -> None:
    first, second, third, foreign = sandbox.businesses()[:4]
    complaints = complaints_of(page)
    agree(page, login)
    assert "code=" not in page.url
    boxes = page.get_by_role("group", name="Businesses to read").get_by_role("checkbox")
    expect(boxes).to_have_count(4)
    for business in (first, second, third):
        expect(page.get_by_role("checkbox", name=business["name"])).to_be_checked()
    expect(page.get_by_role("checkbox", name=foreign["name"])).to_be_disabled()
    page.keyboard.press("Tab")
    expect(boxes.nth(0)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name=second["name"])).not_to_be_checked()
    outline = boxes.nth(1).evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline == "solid"
    save_screenshot(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Reads 2 of 3 businesses")).to_be_visible()
    expect(page.get_by_text("meltano run tap-freshbooks target-postgres")).to_be_visible()
    expect(page.get_by_text("You can close this window.")).to_be_visible()
    assert complaints == []
    assert login.finish()[0] == 0
    assert json.loads(path.read_text())["business_ids"] == [first["id"], third["id"]]
    records = sync(path, logins, "businesses", "items", "projects")
    assert {row["business_id"] for row in records["projects"]} == {first["id"], third["id"]}
    assert {row["account_id"] for row in records["items"]} == {first["account_id"]}


def test_without_javascript(without_scripts: Page, login: Running, path: Path) -> None:
    agree(without_scripts, login)
    without_scripts.get_by_role("checkbox").nth(0).uncheck()
    without_scripts.get_by_role("checkbox").nth(1).uncheck()
    without_scripts.get_by_role("checkbox").nth(2).uncheck()
    without_scripts.get_by_role("button", name="Save and finish").click()
    expect(without_scripts.get_by_role("alert")).to_have_text("Tick at least one business.")
    without_scripts.get_by_role("checkbox").nth(0).check()
    without_scripts.get_by_role("button", name="Save and finish").click()
    expect(without_scripts.get_by_role("heading", level=1)).to_have_text("Done")
    assert login.finish()[0] == 0
    assert len(json.loads(path.read_text())["business_ids"]) == 1


def test_a_reload_and_the_way_back_show_the_form_again(
    page: Page, login: Running, sandbox: Sandbox, path: Path
) -> None:
    agree(page, login)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(CONNECTED)
    page.go_back()
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text(CONNECTED)
    client_id = json.loads(path.read_text())["client_id"]
    assert sandbox.stats(client_id)["paths"]["POST /auth/oauth/token"] == 1


def test_declining_shows_what_happened(page: Page, login: Running) -> None:
    page.goto(login.url)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("The consent was declined in FreshBooks")
    status, _, error = login.finish()
    assert status == 1
    assert "declined" in error


def test_a_narrow_window_and_a_dark_one_show_it_all(page: Page, login: Running) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark")
    agree(page, login)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 31)"


def sync(path: Path, logins: Logins, *streams: str) -> dict[str, list[dict[str, Any]]]:
    """The records that a sync with the tokens of the login delivers, per stream."""
    catalog = logins.write(catalog_of(*streams), "catalog.json")
    command = [sys.executable, "-m", "tap_freshbooks", "--config", str(path)]
    environ = {**os.environ, "XDG_STATE_HOME": str(logins.folder)}
    done = subprocess.run(
        [*command, "--catalog", str(catalog)],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    records: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            records[message["stream"]].append(message["record"])
    return records


def save_screenshot(page: Page) -> None:
    """Into the file that SCREENSHOT names, if it names one: `docs/login.png`."""
    if file := os.environ.get("SCREENSHOT"):
        page.set_viewport_size({"width": 800, "height": 740})
        page.screenshot(path=Path(file))
