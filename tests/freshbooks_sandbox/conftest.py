from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from freshbooks_sandbox import Sandbox
from tests.shared_sandbox import SharedSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


class Caller:
    """A plain HTTP client with a token of its own."""

    def __init__(self, sandbox: Sandbox, business: int = 1, **registration: Any) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.settings = sandbox.config(**registration)
        self.client_id = self.settings["client_id"]
        self.session = requests.Session()
        self.tokens = self.refresh().json()
        self.authorize(self.tokens["access_token"])
        self.at(business)

    def at(self, business: int) -> Caller:
        found = self.sandbox.businesses()[business - 1]
        self.account, self.business, self.uuid = (
            found["account_id"],
            found["id"],
            found["business_uuid"],
        )
        return self

    def authorize(self, token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {token}"

    def refresh(self, token: str | None = None, **changes: Any) -> requests.Response:
        names = ("client_id", "client_secret", "redirect_uri")
        form = {name: self.settings[name] for name in names}
        form |= {"grant_type": "refresh_token"}
        form["refresh_token"] = token or self.settings["refresh_token"]
        return requests.post(f"{self.url}/auth/oauth/token", {**form, **changes}, timeout=30)

    def request(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=30)

    def get(self, path: str) -> requests.Response:
        return self.request("GET", path)

    def accounting(self, path: str) -> Any:
        """The `result` of an accounting answer."""
        answer = self.get(f"/accounting/account/{self.account}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"]

    def write(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.request(method, f"/accounting/account/{self.account}/{path}", body)

    def projects(self, query: str = "") -> Any:
        return self.get(f"/projects/business/{self.business}/projects{query}").json()

    def entries(self, query: str = "") -> Any:
        return self.get(f"/timetracking/business/{self.business}/time_entries{query}").json()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests that only read."""
    with SharedSandbox(rate_limit=0) as running:
        yield running


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A sandbox of the test's own, to write to or to disturb."""
    with Sandbox(invoices=40, rate_limit=0) as running:
        yield running


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    """A client that reads the shared sandbox."""
    caller = Caller(sandbox)
    yield caller
    caller.session.close()


@pytest.fixture
def writer(own: Sandbox) -> Iterator[Caller]:
    """A client that may do everything to a sandbox of its own."""
    caller = Caller(own)
    yield caller
    caller.session.close()
