from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.login.authorization_request import (
    AuthorizationDeniedError,
    AuthorizationRequest,
    InvalidRedirectError,
)
from tap_freshbooks.login.redirect_uri import LoopbackAddress, check

CODE = "6b1e" * 16
REDIRECT_URI = "https://localhost/callback"


@pytest.fixture
def authorization() -> AuthorizationRequest:
    return AuthorizationRequest("9f0c", REDIRECT_URI, ("user:invoices:read", "user:profile:read"))


def test_the_url_carries_what_oauth_wants(authorization: AuthorizationRequest) -> None:
    url = urlsplit(authorization.url("https://auth.example"))
    assert url.geturl().startswith("https://auth.example/oauth/authorize/?client_id=9f0c&")
    question = {name: values[0] for name, values in parse_qs(url.query).items()}
    digest = hashlib.sha256(authorization.code_verifier.encode()).digest()
    assert question == {
        "client_id": "9f0c",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "state": authorization.state,
        "scope": "user:invoices:read user:profile:read",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }


def test_every_request_has_secrets_of_its_own(authorization: AuthorizationRequest) -> None:
    other = AuthorizationRequest("9f0c", REDIRECT_URI, ())
    assert other.state != authorization.state
    assert other.code_verifier != authorization.code_verifier
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", authorization.code_verifier)
    assert len(authorization.state) >= 32
    assert (
        authorization.code_verifier
        not in f"{authorization!r} {authorization.url('https://x.example')}"
    )


@pytest.mark.parametrize(
    "pasted",
    [
        "https://localhost/callback?code={code}&state={state}",
        "https://localhost/callback?state={state}&code={code}",
        "http://localhost/callback?code={code}&state={state}",
        "localhost/callback?code={code}&state={state}",
        "  https://localhost/callback?code={code}&state={state}  \n",
        "'https://localhost/callback?code={code}&state={state}'",
        "“https://localhost/callback?code={code}&state={state}”",
        "<https://localhost/callback?code={code}&amp;state={state}>",
        "https://localhost/callback?code={code}&state={state}#_=_",
        "https://localhost/callback?co\nde={code}&sta\r\n  te={state}",
        "\u200bhttps://localhost/callback?code={code}&state={state}",
        "code={code}&state={state}",
        "{code}",
        '"{code}"\n',
        "6b1e6b1e6b1e6b1e6b1e6b1e6b1e6b1e\n6b1e6b1e6b1e6b1e6b1e6b1e6b1e6b1e",
    ],
)
def test_the_code_is_found_in_what_is_pasted(
    authorization: AuthorizationRequest, pasted: str
) -> None:
    assert authorization.parse_pasted(pasted.format(code=CODE, state=authorization.state)) == CODE


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("https://localhost/callback?code={code}&state=another", "its state is another"),
        ("https://localhost/callback?code={code}", "its state is another, or missing"),
        ("https://localhost/callback?code={code}&state=", "its state is another, or missing"),
        ("https://localhost/callback?code={code}&state=\u00e9", "its state is another"),
        ("https://localhost/callback?code={code}&state=x&state={state}", "twice"),
        ("https://localhost/callback?code={code}&code={code}&state={state}", "twice"),
        ("https://localhost/callback?state={state}", "no code"),
        ("https://localhost/callback?code=&state={state}", "no code"),
        ("https://localhost/callback?error=access_denied&state=another", "its state is another"),
        ("https://localhost/callback?error=access_denied", "was declined"),
        ("https://localhost/callback", "no code in this address"),
        ("{question}", "the address of the question"),
        ("", "neither an address nor a code"),
        ("yes, please", "neither an address nor a code"),
        ("😀" * 20, "neither an address nor a code"),
    ],
)
def test_what_is_not_the_answer_is_refused_and_may_be_tried_again(
    authorization: AuthorizationRequest, pasted: str, why: str
) -> None:
    question = authorization.url("https://auth.example")
    text = pasted.format(code=CODE, state=authorization.state, question=question)
    with pytest.raises(InvalidRedirectError, match=why) as caught:
        authorization.parse_pasted(text)
    assert CODE not in str(caught.value)
    assert authorization.state not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("error=access_denied&error_description=No.", "the consent was declined in FreshBooks"),
        (
            "error=invalid_scope&error_description=The+scope+is+malformed",
            r"\(invalid_scope: The scope is malformed\)",
        ),
        ("error=server_error", r"no consent \(server_error\)"),
        ("error=x&error_description=%1b[31mred%0a", r"\(x:  \[31mred \)"),
        ("error=access_denied&code=" + CODE, "declined"),
    ],
)
def test_an_error_ends_the_login(
    authorization: AuthorizationRequest, answer: str, sentence: str
) -> None:
    with pytest.raises(AuthorizationDeniedError, match=sentence) as caught:
        authorization.parse_pasted(f"{REDIRECT_URI}?{answer}&state={authorization.state}")
    assert CODE not in str(caught.value)


def test_a_long_description_is_cut(authorization: AuthorizationRequest) -> None:
    with pytest.raises(AuthorizationDeniedError) as caught:
        authorization.parse_pasted(
            f"{REDIRECT_URI}?error=x&error_description={'y' * 9999}&state={authorization.state}"
        )
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("redirect_uri", "authority", "path"),
    [
        ("https://localhost:8765/callback", "localhost:8765", "/callback"),
        ("https://127.0.0.1:8765", "127.0.0.1:8765", "/"),
        ("https://localhost:443/", "localhost", "/"),
    ],
)
def test_a_local_redirect_uri_can_be_answered_here(
    redirect_uri: str, authority: str, path: str
) -> None:
    address = LoopbackAddress.parse(check(redirect_uri))
    assert address is not None
    assert (address.authority, address.path) == (authority, path)


@pytest.mark.parametrize(
    "redirect_uri",
    ["https://localhost/callback", "https://example.com:8765/", "https://localhost.example.com:1/"],
)
def test_other_redirect_uris_cannot(redirect_uri: str) -> None:
    assert LoopbackAddress.parse(check(redirect_uri)) is None


@pytest.mark.parametrize(
    "redirect_uri",
    [
        *(None, "", "http://localhost:8765/callback", "localhost/callback", "https://"),
        *("https://localhost:0/", "https://localhost:99999/", "https://[/", "urn:ietf:wg:oauth"),
        *("https://localhost/callback?x=1", "https://localhost/callback#x"),
        *("https://u:p@localhost/callback", "https://token@localhost/callback"),
    ],
)
def test_a_redirect_uri_that_freshbooks_refuses(redirect_uri: str | None) -> None:
    with pytest.raises(SettingsError, match=r"redirect_uri .* the FreshBooks developer portal"):
        check(redirect_uri)
