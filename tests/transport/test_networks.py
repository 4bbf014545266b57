"""What may be wrong between us and a server: each has a sentence, and no doubt about tokens."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from freshbooks_sandbox import Sandbox
from tap_freshbooks.errors import (
    ConnectionFailedError,
    ReauthorizationRequiredError,
    RefreshFailedError,
    SettingsError,
    TapError,
    TransientError,
)
from tap_freshbooks.oauth.reauth_notifier import ReauthNotifier
from tap_freshbooks.oauth.tokens import Rejection
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport import bounds, network, session, trust
from tap_freshbooks.transport.session import HttpSession
from tests.conftest import settings_for
from tests.networks import (
    VARIABLES,
    http_proxy,
    keep_silent,
    server_context,
    serving,
    socks_proxy,
    tls_before,
)
from tests.support import Command, answering, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NOWHERE = "127.0.0.1:1"
ME = "/auth/api/v1/users/me"


@pytest.fixture(autouse=True)
def _bare_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundles(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle of the authority, and others that are none."""
    folder = tmp_path_factory.mktemp("bundles")
    authority.cert_pem.write_to_path(str(folder / "ours.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "others.pem"))
    authority.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "empty.pem").touch()
    (folder / "text.pem").write_text("no certificate")
    (folder / "broken.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )
    ours = (folder / "ours.pem").read_bytes()
    (folder / "glued.pem").write_bytes(ours.rstrip() + ours)
    os.mkfifo(folder / "pipe.pem")
    (folder / "bare").mkdir()
    return folder


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """Host and port of a server that speaks plain HTTP."""
    with answering(OK) as url:
        yield url.removeprefix("http://")


@pytest.fixture(scope="module")
def secure(plain: str, authority: trustme.CA) -> Iterator[str]:
    """Host and port of a server that speaks TLS."""
    with tls_before(f"http://{plain}", server_context(authority)) as place:
        yield place


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=10, rate_limit=0) as running:
        yield running


def ask(url: str, timeout: float = 5) -> bytes:
    with HttpSession(url, user_agent="x", timeout=timeout, max_size=1e6) as server:
        return server.exchange("GET", "/")[1]


def failure(url: str, timeout: float = 5) -> TapError:
    with pytest.raises(TapError) as raised:
        ask(url, timeout)
    return raised.value


def certain(url: str, timeout: float = 5) -> str:
    """The sentence of a failure that no repetition mends."""
    error = failure(url, timeout)
    assert isinstance(error, ConnectionFailedError | SettingsError)
    return str(error)


def passing(url: str, timeout: float = 5) -> str:
    """The sentence of a failure that may pass, in which nothing was sent."""
    error = failure(url, timeout)
    assert isinstance(error, TransientError)
    assert not error.sent
    return str(error)


# Certificates


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_the_environment_is_trusted(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")  # an empty variable says nothing
    monkeypatch.setenv(variable, str(bundles / "ours.pem"))
    assert ask(f"https://{secure}") == b"{}"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"])
def test_a_folder_of_certificates_by_their_hashes_is_trusted(
    secure: str,
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    pem = (bundles / "ours.pem").read_text()
    (tmp_path / f"{subject_hash(pem)}.0").write_text(pem)
    folders = f"/nowhere:{tmp_path}" if variable == "SSL_CERT_DIR" else str(tmp_path)
    monkeypatch.setenv(variable, folders)
    assert ask(f"https://{secure}") == b"{}"


def subject_hash(pem: str) -> str:
    """By which OpenSSL looks for a certificate."""

    return subprocess.run(
        ["openssl", "x509", "-noout", "-hash"],
        input=pem,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.strip()


def test_the_store_of_the_system_is_trusted(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ssl.get_default_verify_paths()._replace(cafile="", capath="")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    ours = [str(bundles / "ours.pem")]
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", ours)
    monkeypatch.setattr(trust, "DEFAULT_CA_BUNDLE_PATH", "/nowhere/cacert.pem")
    assert ask(f"https://{secure}") == b"{}"


def test_a_system_without_a_store_trusts_what_requests_brings(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ssl.get_default_verify_paths()._replace(cafile="", capath="")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [])
    monkeypatch.setattr(trust, "DEFAULT_CA_BUNDLE_PATH", str(bundles / "ours.pem"))
    assert ask(f"https://{secure}") == b"{}"


def test_what_requests_ca_bundle_names_is_all_that_is_trusted(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundles / "others.pem"))
    sentence = certain(f"https://{secure}")
    assert f"certificate of {secure} is not trusted: the authority that signed it is" in sentence
    assert f"REQUESTS_CA_BUNDLE ({bundles / 'others.pem'}) names all that is trusted" in sentence
    assert "trusted; SSL_CERT_FILE counts only without it" in sentence
    assert sentence.endswith("Nothing was sent")


def test_an_unknown_authority_names_the_variables(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "others.pem"))
    sentence = certain(f"https://{secure}")
    assert "the authority that signed it is not known here" in sentence
    assert f"what SSL_CERT_FILE ({bundles / 'others.pem'}) names" in sentence
    assert "REQUESTS_CA_BUNDLE" in sentence


def test_a_certificate_that_is_signed_by_itself(plain: str, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with authority.private_key_pem.tempfile() as key, authority.cert_pem.tempfile() as cert:
        context.load_cert_chain(cert, key)
    with tls_before(f"http://{plain}", context) as place:
        assert "is not trusted: it is signed by itself" in certain(f"https://{place}")


def test_a_certificate_that_has_expired(
    plain: str, authority: trustme.CA, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    context = server_context(authority, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with tls_before(f"http://{plain}", context) as place:
        sentence = certain(f"https://{place}")
    year = datetime.now(UTC).year
    assert f"has expired, or the clock of this machine is wrong (it says {year}-" in sentence


def test_a_certificate_for_another_name(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    port = secure.rpartition(":")[2]
    sentence = certain(f"https://localhost:{port}")
    assert f"the certificate of localhost:{port} is for another name" in sentence
    assert "not trusted" not in sentence


@pytest.mark.parametrize("variable", VARIABLES[:4])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone.pem", "is not there|is no folder"),
        ("ours.pem/x", "is not there|is no folder"),
        ("pipe.pem", "is no file|is no folder"),
        ("empty.pem", "holds no certificates as PEM|is no folder"),
        ("text.pem", "holds no certificates as PEM|is no folder"),
        ("broken.pem", "holds a certificate that is broken|is no folder"),
        ("glued.pem", "holds a certificate that is broken, as two files put together|is no folder"),
        ("key.pem", "holds no certificates as PEM|is no folder"),
        ("x" * 300, "is not there|cannot be read: File name too long|is no folder"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_named(
    secure: str,
    plain: str,
    bundles: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    name: str,
    problem: str,
) -> None:
    monkeypatch.setenv(variable, str(bundles / name))
    error = failure(f"https://{secure}")
    assert isinstance(error, SettingsError)
    assert f"that {variable} names cannot be used: {bundles / name}" in str(error)
    assert re.search(problem, str(error))
    assert ask(f"http://{plain}") == b"{}"  # which needs none


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("REQUESTS_CA_BUNDLE", "holds no certificates by their hashes"),
        ("CURL_CA_BUNDLE", "holds no certificates by their hashes"),
        ("SSL_CERT_FILE", "is no file"),
    ],
)
def test_a_folder_without_certificates_is_named(
    secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch, variable: str, problem: str
) -> None:
    monkeypatch.setenv(variable, str(bundles / "bare"))
    error = failure(f"https://{secure}")
    assert isinstance(error, SettingsError)
    assert f"that {variable} names cannot be used: {bundles / 'bare'} {problem}" in str(error)


# The wrong protocol


@pytest.mark.parametrize("banner", [OK, b"SSH-2.0-OpenSSH_9\r\n", b"220 mail ESMTP\r\n"])
def test_https_to_a_port_that_does_not_speak_tls(banner: bytes) -> None:
    with answering(banner) as url:
        sentence = certain(url.replace("http:", "https:"))
    assert "does not answer in TLS" in sentence
    assert "http://" in sentence


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html>The plain HTTP request was sent to HTTPS port",
        b"HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server port",
    ],
)
def test_http_to_a_port_of_tls(answer: bytes) -> None:
    with answering(answer) as url:
        assert "expects TLS: its URL has to begin with https://" in certain(url)


def test_http_to_a_port_that_only_hangs_up_may_be_one_of_tls(secure: str) -> None:
    error = failure(f"http://{secure}")
    assert isinstance(error, TransientError)
    assert error.sent
    assert "the connection broke" in str(error)
    assert "if it expects TLS, its URL has to begin with https://" in str(error)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_that_is_too_old_for_tls(
    plain: str, authority: trustme.CA, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    context = server_context(authority)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with tls_before(f"http://{plain}", context) as place:
        assert "cannot agree on TLS 1.2 or later" in certain(f"https://{place}")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_of_its_client(
    plain: str,
    authority: trustme.CA,
    bundles: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: ssl.TLSVersion,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    with tls_before(f"http://{plain}", context) as place:
        assert "wants a certificate of its client" in certain(f"https://{place}")


# Machines that are not there


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_cannot_be_reached_says_why(scheme: str) -> None:
    assert passing(f"{scheme}://{NOWHERE}") == f"{NOWHERE} cannot be reached: Connection refused"
    unknown = passing(f"{scheme}://nowhere.invalid")
    assert unknown == "nowhere.invalid cannot be reached: no address is known for its name"


def test_a_connection_has_to_stand_sooner_than_an_answer_has_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "CONNECT_TIMEOUT", 0.1)
    with serving(keep_silent) as place:
        assert "no answer in time" in passing(f"https://{place}", timeout=600)


def test_a_server_that_hangs_up_or_keeps_silent_before_tls_stands() -> None:
    with answering(b"") as url:
        assert "before TLS stood" in passing(url.replace("http:", "https:"))
    with serving(keep_silent) as place:
        assert passing(f"https://{place}", 0.2) == f"{place} cannot be reached: no answer in time"


# Proxies


def test_a_proxy_is_spoken_to_by_its_user(
    secure: str, plain: str, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    seen: list[str] = []
    with http_proxy(user="me:p@s#", seen=seen) as place:
        for name in ("HTTP_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://me:p%40s%23@{place}")
        assert ask(f"https://{secure}") == b"{}"
        assert ask(f"http://{plain}") == b"{}"
    assert seen[0].startswith(f"CONNECT {secure} ")
    assert seen[2] == f"GET http://{plain}/ HTTP/1.1"
    assert len(seen) == 4


def test_a_tunnel_may_be_slow(secure: str, bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    monkeypatch.setattr(bounds, "PATIENCE_CHECK", 0.05)
    with http_proxy(delay=0.2) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        assert ask(f"https://{secure}") == b"{}"


def test_a_proxy_that_speaks_tls(
    secure: str,
    plain: str,
    authority: trustme.CA,
    bundles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with http_proxy(context=server_context(authority)) as place:
        monkeypatch.setenv("ALL_PROXY", f"https://{place}")
        sentence = certain(f"https://{secure}")
        assert f"the certificate of the proxy {place} of ALL_PROXY is not trusted" in sentence
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundles / "ours.pem"))
        assert ask(f"https://{secure}") == b"{}"
        assert ask(f"http://{plain}") == b"{}"


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("user", ["", "me:secret@"])
def test_a_proxy_that_wants_a_password(
    secure: str, monkeypatch: pytest.MonkeyPatch, scheme: str, user: str
) -> None:
    with http_proxy(user="me:other") as place:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://{user}{place}")
        sentence = certain(f"{scheme}://{secure}")
    assert sentence.startswith(f"the proxy {place} of {scheme.upper()}_PROXY ")
    assert "407" in sentence
    assert ("does not accept the user name" if user else "wants a user name") in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_a_proxy_that_refuses_for_ever(
    secure: str, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with http_proxy(status=status) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        sentence = certain(f"https://{secure}")
    assert str(status) in sentence
    assert f"the proxy {place} of HTTPS_PROXY" in sentence
    assert ("rules" if status == 403 else "is it a proxy") in sentence


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_proxy_that_cannot_reach_the_server_now(
    secure: str, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with http_proxy(status=status) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        expected = f"the proxy {place} of HTTPS_PROXY cannot reach {secure} ({status})"
        assert passing(f"https://{secure}") == expected


@pytest.mark.parametrize(
    ("answer", "clause"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "does not answer in HTTP: is it a proxy"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "expects TLS: its URL has to begin with https://"),
    ],
)
def test_what_stands_in_the_place_of_a_proxy_is_none(
    secure: str, monkeypatch: pytest.MonkeyPatch, answer: bytes, clause: str
) -> None:
    with answering(answer) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert clause in certain(f"https://{secure}")


def test_a_proxy_that_does_not_speak_tls_as_its_url_says(
    secure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http:", "https:"))
        sentence = certain(f"https://{secure}")
    assert sentence.startswith("the proxy 127.0.0.1:")
    assert "the URL of the proxy has to begin with http://" in sentence


def test_a_proxy_that_is_not_there_is_named_without_its_password(
    secure: str, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://me:secret@proxy.invalid:3128")
    for url in (f"https://{secure}", f"http://{plain}"):
        sentence = passing(url)
        assert re.fullmatch(
            r"the proxy proxy\.invalid:3128 of HTTPS?_PROXY cannot be reached: no address is known "
            "for its name",
            sentence,
        )
    monkeypatch.setenv("HTTPS_PROXY", NOWHERE)
    assert "Connection refused" in passing(f"https://{secure}")
    with answering(b"") as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert "ended the connection without an answer" in passing(f"https://{secure}")
    with serving(keep_silent) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        sentence = passing(f"https://{secure}", 0.2)
    assert sentence.startswith(f"{secure} through the proxy {place} of HTTPS_PROXY cannot")


def test_no_proxy_is_heeded(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "  ")  # says nothing
    assert ask(f"http://{plain}") == b"{}"
    monkeypatch.setenv("ALL_PROXY", f"http://{NOWHERE}")
    assert "the proxy" in passing(f"http://{plain}")
    monkeypatch.setenv("NO_PROXY", "example.com, 127.0.0.0/8")
    assert ask(f"http://{plain}") == b"{}"


@pytest.mark.parametrize(
    "url",
    [
        *("http://", "http://:3128", "ftp://proxy:1", "socks6://proxy:1", "http://pro xy:1"),
        *("http://me:hush#@proxy:1", "http://me:hush/@proxy:1", "http://me:12/34@proxy:1"),
        *("http://me:12?hush@proxy:1", "http://me:12#hush@proxy:1"),
        *("http://proxy:99999", "http://proxy:port", "http://[::1", "http://a..b:1"),
        *("http://me:%E2%82%AC@proxy:1", "socks5://"),
    ],
)
def test_a_url_that_names_no_proxy(secure: str, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    error = failure(f"https://{secure}")
    assert isinstance(error, SettingsError)
    assert str(error).startswith("HTTPS_PROXY does not name a proxy that can be used")
    assert "hush" not in str(error)
    assert "34@" not in str(error)


def test_a_proxy_of_socks_needs_a_package(secure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "find_spec", lambda _: None)
    monkeypatch.setenv("all_proxy", "socks5h://me:secret@proxy:1080")
    error = failure(f"https://{secure}")
    assert isinstance(error, SettingsError)
    assert "all_proxy names a proxy of SOCKS" in str(error)
    assert "pip install 'tap-freshbooks[socks]'" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_proxy_of_socks_is_used(
    secure: str, plain: str, bundles: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    with socks_proxy(user="me:secret") as place:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:secret@{place}")
        assert ask(f"https://{secure}") == b"{}"
        assert ask(f"http://{plain}") == b"{}"
        for user in ("", "me:hush@"):
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://{user}{place}")
            assert "right user name and password" in certain(f"https://{secure}")


def test_an_answer_through_a_proxy_of_socks_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nX: ", drips=True) as url, socks_proxy() as place:
        monkeypatch.setenv("ALL_PROXY", f"socks5://{place}")
        began = time.monotonic()
        assert "no answer in time" in str(failure(url, 0.2))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("reply", "clause"), [(2, "its rules have to name it"), (4, "cannot reach"), (5, "refused")]
)
def test_what_a_proxy_of_socks_says(
    secure: str, monkeypatch: pytest.MonkeyPatch, reply: int, clause: str
) -> None:
    with socks_proxy(reply) as place:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{place}")
        sentence = (certain if reply == 2 else passing)(f"https://{secure}")
    assert sentence.startswith(f"the proxy {place} of ALL_PROXY ")
    assert clause in sentence


def test_a_proxy_of_socks_that_is_none_or_not_there(
    secure: str, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{plain}")
    assert "does not answer in SOCKS: is it a proxy" in certain(f"https://{secure}")
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{NOWHERE}")
    expected = f"the proxy {NOWHERE} of ALL_PROXY cannot be reached: Connection refused"
    assert passing(f"https://{secure}") == expected


# What it means for a run, and for its tokens


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> dict[str, Any]:
    return {**settings_for(books, tmp_path), "max_attempts": 3}


def test_a_sync_through_tls_and_a_proxy_that_wants_a_password(
    books: Sandbox,
    settings: dict[str, Any],
    authority: trustme.CA,
    bundles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundles / "ours.pem"))
    seen: list[str] = []
    with (
        tls_before(settings["api_url"], server_context(authority)) as place,
        http_proxy(user="me:secret", seen=seen) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy}")
        messages = sync({**settings, "api_url": f"https://{place}"}, "clients")
    assert len(messages.records["clients"]) > 1
    assert books.stats(settings["client_id"])["refreshes"] == 1
    assert {line.partition(" HTTP")[0] for line in seen[::2]} == {f"CONNECT {place}"}


def untrusted(_place: str, _patch: pytest.MonkeyPatch) -> str:
    return "is not trusted"


def no_bundle(_place: str, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    return "/nowhere/bundle.pem is not there"


def no_url(_place: str, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("HTTPS_PROXY", "http://me:hush#@proxy:1")
    return "HTTPS_PROXY does not name a proxy"


def no_socks(_place: str, patch: pytest.MonkeyPatch) -> str:
    patch.setattr(network, "find_spec", lambda _: None)
    patch.setenv("HTTPS_PROXY", "socks5://proxy:1")
    return "pip install 'tap-freshbooks[socks]'"


FAULTS: list[tuple[Callable[[str, pytest.MonkeyPatch], str], int]] = [
    (untrusted, 1),
    (no_bundle, 2),
    (no_url, 2),
    (no_socks, 2),
]


@pytest.mark.parametrize(("fault", "status"), FAULTS)
def test_a_fault_that_stays_ends_the_run_at_once_and_spends_no_token(
    books: Sandbox,
    settings: dict[str, Any],
    secure: str,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[str, pytest.MonkeyPatch], str],
    status: int,
) -> None:
    clause = fault(secure, monkeypatch)
    (tmp_path / "c.json").write_text(json.dumps({**settings, "api_url": f"https://{secure}"}))
    found, output, errors = command("--config", str(tmp_path / "c.json"))
    assert found == status
    assert output == ""
    [line] = [line for line in errors.splitlines() if line.startswith("Error: ")]
    assert clause in line
    assert "trying again" not in errors
    assert "hush" not in errors
    assert books.stats(settings["client_id"])["refreshes"] == 0
    assert is_unspent(tmp_path / "tokens.json")


def is_unspent(store: Path) -> bool:
    """Whether a token file leaves no doubt about its refresh token."""
    text = store.read_text() if store.exists() else "{}"
    return not any("pending" in key for key in json.loads(text))


def test_a_proxy_that_is_down_leaves_no_doubt_about_the_refresh_token(
    settings: dict[str, Any], secure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_freshbooks.oauth.refresh_attempts.MAX_WAIT", 0)
    with http_proxy(status=503) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        tap = TapFreshBooks(config={**settings, "api_url": f"https://{secure}"}, setup_mapper=False)
        with pytest.raises(RefreshFailedError, match="the refresh token was not spent") as raised:
            tap.connection.authenticator.access_token()
    assert f"the token request to https://{secure} was not sent" in str(raised.value)
    assert f"the proxy {place} of HTTPS_PROXY cannot reach {secure} (503)" in str(raised.value)
    assert is_unspent(tmp_path / "tokens.json")


def test_what_breaks_after_the_request_left_is_in_doubt(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_freshbooks.oauth.refresh_attempts.MAX_WAIT", 0)
    with answering(b"") as url:
        tap = TapFreshBooks(config={**settings, "api_url": url}, setup_mapper=False)
        with pytest.raises(RefreshFailedError, match="whether the refresh token is spent"):
            tap.connection.authenticator.access_token()
    assert not is_unspent(tmp_path / "tokens.json")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE", ""])
def test_an_alarm_that_cannot_be_sent_says_why_and_changes_nothing(
    secure: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
) -> None:
    monkeypatch.setenv(variable or "UNUSED", "ftp://me:hush@nowhere/x")
    notifier = ReauthNotifier(f"https://{secure}/hook?key=hush", "app", "default", "x")
    assert not notifier.notify(Rejection("hash", time.time(), "spent"), None)
    assert "auth_failure_url did not take the event" in caplog.text
    assert (variable or "is not trusted") in caplog.text
    assert "hush" not in caplog.text.replace("ftp://me:hush@nowhere/x is not there", "")


def test_a_token_that_is_dead_stays_so_though_the_alarm_cannot_be_sent(
    books: Sandbox, settings: dict[str, Any], secure: str
) -> None:
    config = {**settings, "refresh_token": "dead", "auth_failure_url": f"https://{secure}"}
    tap = TapFreshBooks(config=config, setup_mapper=False)
    with pytest.raises(ReauthorizationRequiredError):
        tap.connection.authenticator.access_token()
    assert books


@pytest.mark.parametrize("arguments", [["status"], ["api", ME], ["estimate"], ["doctor"]])
def test_every_command_says_what_stands_in_the_way(
    settings: dict[str, Any],
    secure: str,
    tmp_path: Path,
    command: Command,
    arguments: list[str],
) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**settings, "api_url": f"https://{secure}"}))
    status, _, errors = command(*arguments, "--config", str(tmp_path / "c.json"))
    assert status == 1
    assert f"Error: the certificate of {secure} is not trusted" in errors


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "HTTPS_PROXY"])
def test_a_login_that_cannot_get_through_sends_nobody_to_the_consent_page(
    settings: dict[str, Any],
    secure: str,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "ftp://nowhere")
    config = {**settings, "api_url": f"https://{secure}"}
    (tmp_path / "c.json").write_text(json.dumps(config))
    status, output, errors = command("login", "--paste", "--config", str(tmp_path / "c.json"))
    assert status == 2
    assert variable in errors
    assert "oauth/authorize" not in output


def test_a_login_that_does_not_get_through_leaves_the_code_and_the_store_as_they_were(
    settings: dict[str, Any], secure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "tokens.json"
    store.write_text('{"refresh_token": "former"}')
    tap = TapFreshBooks(config={**settings, "api_url": f"https://{secure}"}, setup_mapper=False)
    with pytest.raises(ConnectionFailedError, match="Nothing was sent"):
        tap.connection.connect("code", "verifier")
    monkeypatch.setenv("HTTPS_PROXY", NOWHERE)
    with pytest.raises(TransientError, match="was not sent"):
        tap.connection.connect("code", "verifier")
    assert json.loads(store.read_text())["refresh_token"] == "former"
