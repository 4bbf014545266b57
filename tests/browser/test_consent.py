from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from freshbooks_sandbox import Sandbox


@pytest.fixture
def settings(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.config()


@pytest.fixture
def consent(page: Page, sandbox: Sandbox, settings: dict[str, Any]) -> Page:
    """The consent page, with somebody who answers where it leads back to."""
    page.route(f"{settings['redirect_uri']}?*", lambda route: route.fulfill(body="Back again"))
    asked = {
        "client_id": settings["client_id"],
        "redirect_uri": settings["redirect_uri"],
        "response_type": "code",
        "state": "x&y",
    }
    page.goto(f"{sandbox.url}/oauth/authorize?{urlencode(asked)}")
    return page


def brought_back(page: Page, settings: dict[str, Any]) -> dict[str, str]:
    """What the application learns from the redirect."""
    page.wait_for_url(f"{settings['redirect_uri']}?*")
    return dict(parse_qsl(urlsplit(page.url).query))


def test_authorize_leads_back_with_a_code_that_brings_tokens(
    consent: Page, sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    consent.get_by_role("button", name="Authorize").click()
    answer = brought_back(consent, settings)
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == "x&y"
    form = {**settings, "grant_type": "authorization_code", "code": answer["code"]}
    tokens = requests.post(f"{sandbox.url}/auth/oauth/token", form, timeout=30)
    assert tokens.status_code == 200


def test_deny_leads_back_without_a_code(consent: Page, settings: dict[str, Any]) -> None:
    consent.get_by_role("button", name="Deny").click()
    answer = brought_back(consent, settings)
    assert answer["error"] == "access_denied"
    assert answer["state"] == "x&y"
    assert "code" not in answer
