"""A page in headless Chromium.

Playwright's synchronous API keeps an event loop running in the main thread: a server that a test
starts belongs in a thread or a process of its own.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")

FLAGS = (
    "--no-sandbox",  # with its own sandbox it does not start for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing but what the test asks for.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all tests of this folder."""
    item.add_marker(pytest.mark.browser)


def _chromium() -> str:
    chosen = os.environ.get("CHROMIUM")
    for name in (chosen,) if chosen else NAMES:
        if found := shutil.which(name):
            return found
    return pytest.fail("These tests need Chromium; `make test-browser` installs it.")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=_chromium(), args=FLAGS) as running,
    ):
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies or memories of the tests before, which takes any certificate."""
    with browser.new_context(ignore_https_errors=True) as context:
        yield context.new_page()
