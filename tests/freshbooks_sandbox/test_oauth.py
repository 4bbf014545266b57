from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from freshbooks_sandbox import Sandbox, SandboxError
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "/auth/oauth/token"

# The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
WRONG_VERIFIERS = [{"code_verifier": VERIFIER[::-1]}, {"code_verifier": ""}, {}]


def post(sandbox: Sandbox, encoding: str, fields: Mapping[str, Any]) -> requests.Response:
    url, fields = sandbox.url + TOKEN, dict(fields)
    if encoding == "json":
        return requests.post(url, json=fields, timeout=30)
    if encoding == "multipart":
        files = {name: (None, value) for name, value in fields.items()}
        return requests.post(url, files=files, timeout=30)
    if encoding == "basic":
        auth = (fields.pop("client_id"), fields.pop("client_secret"))
        return requests.post(url, fields, auth=auth, timeout=30)
    return requests.post(url, fields, timeout=30)


def authorize(sandbox: Sandbox, settings: Mapping[str, Any], **changes: str) -> requests.Response:
    asked = {
        "client_id": settings["client_id"],
        "redirect_uri": settings["redirect_uri"],
        "response_type": "code",
        "state": "xyz",
        "decision": "allow",
        **changes,
    }
    url = f"{sandbox.url}/oauth/authorize/"
    return requests.post(url, asked, allow_redirects=False, timeout=30)


def code_of(answer: requests.Response) -> str:
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchange(sandbox: Sandbox, settings: Mapping[str, Any], **fields: str) -> requests.Response:
    return post(sandbox, "form", {**settings, "grant_type": "authorization_code", **fields})


@pytest.mark.parametrize("encoding", ["form", "json", "multipart", "basic"])
def test_both_grants_work_in_every_encoding(sandbox: Sandbox, encoding: str) -> None:
    settings = sandbox.config()
    credentials = {name: settings[name] for name in ("client_id", "client_secret", "redirect_uri")}
    code = code_of(authorize(sandbox, settings))
    first = post(
        sandbox, encoding, {**credentials, "grant_type": "authorization_code", "code": code}
    )
    assert first.status_code == 200
    assert list(first.json()) == [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
        "created_at",
        "direct_buy_tokens",
    ]
    refresh = {"grant_type": "refresh_token", "refresh_token": first.json()["refresh_token"]}
    second = post(sandbox, encoding, {**credentials, **refresh})
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first.json()["refresh_token"]
    assert re.fullmatch("[0-9a-f]{64}", second.json()["refresh_token"])
    assert second.json()["created_at"] == pytest.approx(time.time(), abs=5)
    assert second.json()["expires_in"] == 43_200


def test_a_spent_refresh_token_is_refused_and_counted(caller: Caller) -> None:
    answer = caller.refresh()
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert caller.sandbox.stats(caller.client_id)["spent_refresh_tokens"] == 1
    # The living one is not harmed by that.
    assert caller.refresh(caller.tokens["refresh_token"]).status_code == 200


def test_a_second_consent_kills_the_refresh_token_of_the_first(caller: Caller) -> None:
    code = code_of(authorize(caller.sandbox, caller.settings))
    assert exchange(caller.sandbox, caller.settings, code=code).status_code == 200
    assert caller.refresh(caller.tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_does_not_need_the_redirect_uri(sandbox: Sandbox) -> None:
    settings = sandbox.config()
    names = ("client_id", "client_secret", "refresh_token")
    fields = {name: settings[name] for name in names}
    answer = post(sandbox, "form", {**fields, "grant_type": "refresh_token"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"refresh_token": "0" * 64}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
    ],
)
def test_wrong_token_requests(
    caller: Caller, changes: dict[str, str], status: int, error: str
) -> None:
    answer = caller.refresh(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_an_empty_json_body_lacks_the_grant_type(sandbox: Sandbox) -> None:
    answer = post(sandbox, "json", {})
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": "Missing required parameter: grant_type.",
    }


def test_the_refresh_token_of_another_application_is_refused(sandbox: Sandbox) -> None:
    one, other = sandbox.config(), sandbox.config()
    fields = {**one, "refresh_token": other["refresh_token"], "grant_type": "refresh_token"}
    assert post(sandbox, "form", fields).json()["error"] == "invalid_grant"


def test_a_code_works_once_for_its_redirect_uri_and_five_minutes(own: Sandbox) -> None:
    settings = own.config()
    code = code_of(authorize(own, settings))
    wrong = exchange(own, settings, code=code, redirect_uri="https://localhost/other")
    assert wrong.json()["error"] == "invalid_grant"
    assert exchange(own, settings, code=code).status_code == 200
    assert exchange(own, settings, code=code).json()["error"] == "invalid_grant"
    late = code_of(authorize(own, settings))
    own.clock(advance=301)
    assert exchange(own, settings, code=late).json()["error"] == "invalid_grant"


def test_a_code_with_a_challenge_is_exchanged_for_its_verifier(sandbox: Sandbox) -> None:
    settings = sandbox.config()
    code = code_of(authorize(sandbox, settings, **CHALLENGE))
    assert exchange(sandbox, settings, code=code, code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize("wrong", WRONG_VERIFIERS)
def test_a_wrong_or_missing_verifier_is_refused_and_spends_nothing(
    sandbox: Sandbox, wrong: dict[str, str]
) -> None:
    settings = sandbox.config()
    code = code_of(authorize(sandbox, settings, **CHALLENGE))
    refused = exchange(sandbox, settings, code=code, **wrong)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert exchange(sandbox, settings, code=code, code_verifier=VERIFIER).status_code == 200


def test_a_verifier_for_a_code_without_a_challenge_is_refused(sandbox: Sandbox) -> None:
    settings = sandbox.config()
    code = code_of(authorize(sandbox, settings))
    refused = exchange(sandbox, settings, code=code, code_verifier=VERIFIER)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert exchange(sandbox, settings, code=code).status_code == 200


def test_no_verifier_matters_where_pkce_is_ignored() -> None:
    with Sandbox(invoices=40, rate_limit=0, behaviours={"pkce": "ignored"}) as sandbox:
        settings = sandbox.config()
        plain = {**CHALLENGE, "code_challenge_method": "plain"}
        for challenge in ({}, CHALLENGE, plain):
            for verifier in ({"code_verifier": VERIFIER}, *WRONG_VERIFIERS):
                code = code_of(authorize(sandbox, settings, **challenge))
                assert exchange(sandbox, settings, code=code, **verifier).status_code == 200


def test_the_consent_page_keeps_the_challenge(sandbox: Sandbox) -> None:
    asked = {**sandbox.config(), "response_type": "code", **CHALLENGE}
    page = requests.get(f"{sandbox.url}/oauth/authorize", asked, timeout=30)
    for name, value in CHALLENGE.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in page.text


def test_the_consent_page_is_a_form(sandbox: Sandbox) -> None:
    settings = sandbox.config()
    asked = {**settings, "response_type": "code", "state": "a<b"}
    page = requests.get(f"{sandbox.url}/oauth/authorize", asked, timeout=30)
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert "a&lt;b" in page.text
    assert settings["client_secret"] not in page.text


def test_a_declined_consent_comes_back_as_access_denied(sandbox: Sandbox) -> None:
    answer = authorize(sandbox, sandbox.config(), decision="deny")
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (query["error"], query["state"]) == (["access_denied"], ["xyz"])


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"client_id": "unknown"}, 500, "Internal Server Error"),
        ({"redirect_uri": "https://elsewhere.example"}, 400, "redirect uri"),
        ({"scope": "user:clients:read user:reports:write"}, 400, "invalid, unknown, or malformed"),
        ({"response_type": "token"}, 400, "response type"),
        ({**CHALLENGE, "code_challenge_method": "plain"}, 400, "must be S256"),
        ({"code_challenge": CHALLENGE["code_challenge"]}, 400, "must be S256"),
    ],
)
def test_wrong_authorize_requests_end_on_a_page(
    sandbox: Sandbox, changes: dict[str, str], status: int, text: str
) -> None:
    answer = authorize(sandbox, sandbox.config(), **changes)
    assert answer.status_code == status
    assert text in answer.text


def test_a_consent_may_ask_for_a_part_of_the_scopes(caller: Caller) -> None:
    code = code_of(authorize(caller.sandbox, caller.settings, scope="user:clients:read"))
    answer = caller.refresh(grant_type="authorization_code", code=code).json()
    assert answer["scope"] == "user:clients:read user:profile:read"
    caller.authorize(answer["access_token"])
    assert caller.accounting("users/clients")["total"] > 0
    refused = caller.get(f"/accounting/account/{caller.account}/invoices/invoices")
    assert refused.status_code == 403
    assert "user:invoices:read" in refused.text
    refused = caller.get(f"/projects/business/{caller.business}/projects")
    assert refused.status_code == 403
    assert refused.json() == {
        "message": "insufficient_scope: The request requires higher privileges than provided by "
        "the access token. Provided: ['user:clients:read user:profile:read']. "
        "Required: ['user:projects:read']."
    }


def test_an_access_token_dies_at_its_end(own: Sandbox) -> None:
    caller = Caller(own, token_lifetime=60)
    assert caller.tokens["expires_in"] == 60
    assert caller.get("/auth/api/v1/users/me").status_code == 200
    own.clock(advance=61)
    answer = caller.get("/auth/api/v1/users/me")
    assert answer.status_code == 401
    assert answer.json()["error"] == "unauthenticated"
    caller.session.close()


def test_the_old_access_token_outlives_a_refresh(caller: Caller) -> None:
    assert caller.refresh(caller.tokens["refresh_token"]).status_code == 200
    assert caller.get("/auth/api/v1/users/me").status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_ends_a_token_at_once(caller: Caller, kind: str) -> None:
    form = {**caller.settings, "token": caller.tokens[kind]}
    answer = requests.post(f"{caller.url}/auth/oauth/revoke", form, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {})
    if kind == "access_token":
        assert caller.get("/auth/api/v1/users/me").status_code == 401
    else:
        assert caller.refresh(caller.tokens[kind]).json()["error"] == "invalid_grant"


def test_the_documented_and_the_rfc_8414_paths_are_the_same(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/.well-known/oauth-authorization-server"
    metadata = requests.get(url, timeout=30).json()
    fields = {**sandbox.config(), "grant_type": "refresh_token"}
    assert requests.post(metadata["token_endpoint"], fields, timeout=30).status_code == 200


def test_a_redirect_uri_must_be_https(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="https"):
        sandbox.config(redirect_uri="http://localhost/callback")


def test_every_configuration_is_an_application_of_its_own(sandbox: Sandbox) -> None:
    one, other = sandbox.config(), sandbox.config()
    assert one["client_id"] != other["client_id"]
    for settings in (one, other):
        fields = {**settings, "grant_type": "refresh_token"}
        assert post(sandbox, "form", fields).status_code == 200


@pytest.mark.parametrize("granted", ["registered", "profile"])
def test_a_consent_that_names_no_scope(granted: str) -> None:
    behaviours = {"default_scopes": granted}
    with Sandbox(invoices=40, rate_limit=0, behaviours=behaviours) as sandbox:
        settings = sandbox.config(scopes=["user:clients:read"])
        code = code_of(authorize(sandbox, settings))
        found = exchange(sandbox, settings, code=code).json()["scope"].split()
    registered = {"user:clients:read"} if granted == "registered" else set()
    assert set(found) == {"user:profile:read"} | registered
