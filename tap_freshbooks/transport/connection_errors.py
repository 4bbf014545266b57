"""Errors below HTTP: what broke, whose fault that is, and what to do about it.

What fails while a connection is made has certainly not reached the server; whatever fails later
may have. A cause that no repetition mends is told from one that may pass.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
import urllib3
from urllib3.exceptions import NewConnectionError

from tap_freshbooks.errors import ConnectionFailedError, TapError, TransientError
from tap_freshbooks.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.transport.network import Network

TLS_ALERT = re.compile(r"\\x15\\x03")
"""How the answer of TLS to something else begins, as `repr` shows it."""

NO_TLS = frozenset(
    {
        *("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"),
        *("RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "BAD_RECORD_TYPE"),
    }
)
"""What OpenSSL calls an answer that is not in TLS."""

NO_AGREEMENT = frozenset(
    {
        *("NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"),
        *("NO_SHARED_CIPHER", "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"),
        *("DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
        *("TLSV1_UNRECOGNIZED_NAME", "WRONG_SIGNATURE_TYPE", "UNSUPPORTED_SIGNATURE_TYPE"),
    }
)
"""What it calls a server with which TLS cannot be spoken as it has to be."""

EXPIRED, NOT_YET_VALID = 10, 9
OTHER_NAME = frozenset({62, 64})
SIGNED_BY_ITSELF, AUTHORITY_SIGNED_BY_ITSELF = 18, 19
UNKNOWN_AUTHORITY = frozenset({2, 20, 21, 27})
"""Numbers of OpenSSL (`X509_V_ERR_…`) that say what is wrong with a certificate."""

REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d+)")

PASSING_REFUSALS = frozenset(
    {
        *(HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS),
        *(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY),
        *(HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT),
    }
)
"""Statuses with which a proxy says that it cannot reach the server at present."""

SOCKS_UNREACHED = "Error connecting to SOCKS"
"""What PySocks says if it did not get as far as the proxy."""

SOCKS_REPLY = re.compile(r"0x[0-9a-fA-F]{2}: ([\w ]+)")

EXPECTS_TLS = re.compile(rb"HTTPS (?:port|server)|SSL-enabled server port")
"""What servers of TLS say of plain HTTP: those of nginx, Go, Apache."""

IS_PROXY = "is it a proxy, and the port right?"
WANTS_CERTIFICATE = "wants a certificate of its client, and the tap has none"
SECURE = "its URL has to begin with https://"


def connect_error(error: Exception, network: Network, *, reached_proxy: bool) -> TapError:
    """What it means that a connection could not be made: nothing was sent over it.

    Args:
        error: What making it has raised.
        network: Between us and the server.
        reached_proxy: Whether a proxy had been reached by then.

    Returns:
        A `TransientError` if it may pass.
    """
    proxy = network.proxy
    if proxy and proxy.is_socks:
        if failure := _socks_refusal(str(error), network):
            return failure
        reached_proxy = not any(SOCKS_UNREACHED in str(cause) for cause in _causes(error))
    if refusal := REFUSED_TUNNEL.search(str(error)):
        return refused_by_proxy(int(refusal[1]), network)
    is_before_proxy = proxy is not None and not reached_proxy
    peer = str(proxy) if is_before_proxy else network.server
    if proxy and reached_proxy:
        peer += f" through {proxy}"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _permanent(_wrong_certificate(cause, peer, network))
        if isinstance(cause, ssl.SSLError):
            return _tls_error(cause, peer, is_proxy=is_before_proxy)
        if isinstance(cause, http.client.HTTPException):
            return _no_tunnel(cause, network)
        if why := _unreachable(cause):
            return _passing(f"{peer} cannot be reached: {why}")
    return _passing(f"{peer} cannot be reached ({type(error).__name__})")


def _unreachable(cause: BaseException) -> str | None:
    """Why a machine cannot be reached, as a clause; None if this is not the cause."""
    if isinstance(cause, socket.gaierror):
        return "no address is known for its name"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return None


def _no_tunnel(error: http.client.HTTPException, network: Network) -> TapError:
    """What it means that a proxy of HTTP gives no answer that makes sense."""
    if isinstance(error, http.client.RemoteDisconnected):
        return _passing(f"{network.proxy} ended the connection without an answer")
    if TLS_ALERT.search(repr(error)):
        return _permanent(f"{network.proxy} expects TLS: {SECURE}")
    return _permanent(f"{network.proxy} does not answer in HTTP: {IS_PROXY}")


def refused_by_proxy(status: int, network: Network) -> TapError:
    """What it means that a proxy refuses to pass something on, by the status that it answers."""
    proxy, server = network.proxy, network.server
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        if proxy and proxy.has_user:
            return _permanent(
                f"{proxy} does not accept the user name and password of its URL (407; only Basic "
                "authentication is spoken, and special characters have to be percent-encoded)"
            )
        return _permanent(
            f"{proxy or server} wants a user name and a password (407): put them into the URL of "
            "the proxy, as http://USER:PASSWORD@HOST:PORT, special characters percent-encoded"
        )
    if status in PASSING_REFUSALS:
        return _passing(f"{proxy} cannot reach {server} ({status})")
    if status == HTTPStatus.FORBIDDEN:
        return _permanent(f"{proxy} does not allow {server} (403): its rules have to name it")
    return _permanent(f"{proxy} answered {status} instead of connecting: {IS_PROXY}")


def lost_answer(error: Exception, network: Network) -> TapError:
    """What it means that no whole answer came over a connection that stood.

    Returns:
        A `TransientError` that leaves open whether the server has done what was asked, unless the
        answer shows that it cannot have read it.
    """
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return TransientError("no answer in time")
    text = repr(error)
    if "CERTIFICATE_REQUIRED" in text:
        return ConnectionFailedError(f"{network.server} {WANTS_CERTIFICATE}")
    hint = ""
    if not network.is_tls:
        if TLS_ALERT.search(text):
            return _answer_in_tls(network)
        if "RemoteDisconnected" in text or "ConnectionResetError" in text:
            hint = ": if it expects TLS, its URL has to begin with https://"
    return TransientError(f"the connection broke ({type(error).__name__}){hint}")


def refused_on_the_way(status: int, content: bytes, network: Network) -> TapError | None:
    """What an answer in plain HTTP means that the server has not given to our request."""
    if network.is_tls:
        return None
    if status == HTTPStatus.BAD_REQUEST and EXPECTS_TLS.search(content):
        return _answer_in_tls(network)
    if network.proxy and status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return refused_by_proxy(status, network)
    return None


def _answer_in_tls(network: Network) -> ConnectionFailedError:
    proxy = network.proxy
    who = str(proxy) if proxy and not proxy.is_socks else network.server
    return ConnectionFailedError(f"{who} expects TLS: {SECURE}")


def _causes(error: Exception) -> Iterator[BaseException]:
    """An error and what led to it; not what was being handled meanwhile."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        hidden = cause.__context__ if isinstance(cause, NewConnectionError) else None
        cause = cause.__cause__ or getattr(cause, "socket_err", None) or hidden


def _passing(sentence: str) -> TransientError:
    return TransientError(sentence, sent=False)


def _permanent(sentence: str) -> ConnectionFailedError:
    stop = "" if sentence.endswith("?") else "."
    return ConnectionFailedError(f"{sentence}{stop} Nothing was sent")


def _tls_error(error: ssl.SSLError, peer: str, *, is_proxy: bool) -> TapError:
    reason = (error.reason or type(error).__name__).upper().replace(" ", "_")
    if reason in NO_TLS:
        where = "the URL of the proxy" if is_proxy else "its URL"
        return _permanent(
            f"{peer} does not answer in TLS, as https:// asks it to: if it speaks plain HTTP, as "
            f"a sandbox does, {where} has to begin with http://; otherwise the port is wrong, or "
            "something else answers in its place"
        )
    if reason in NO_AGREEMENT:
        return _permanent(
            f"{peer} and this machine cannot agree on TLS 1.2 or later ({reason}): it is too old, "
            "or set up wrongly, or it wants a certificate of its client"
        )
    return _passing(f"{peer} ended the connection before TLS stood ({reason})")


def _wrong_certificate(error: ssl.SSLCertVerificationError, peer: str, network: Network) -> str:
    whose = f"the certificate of {peer}"
    code = error.verify_code
    if code in {EXPIRED, NOT_YET_VALID}:
        what = "has expired" if code == EXPIRED else "is not valid yet"
        now = utc_text(datetime.now(UTC).replace(microsecond=0))
        return (
            f"{whose} {what}, or the clock of this machine is wrong (it says {now}): whoever runs "
            "that server, or a proxy before it, has to renew it"
        )
    if code in OTHER_NAME:
        return (
            f"{whose} is for another name ({error.verify_message.rstrip('.')}): is the URL right, "
            "or does something else answer in its place, such as the login page of a network?"
        )
    if code == SIGNED_BY_ITSELF:
        why = "it is signed by itself"
    elif code == AUTHORITY_SIGNED_BY_ITSELF:
        why = "the authority that signed it is not known here (self-signed)"
    elif code in UNKNOWN_AUTHORITY:
        why = "the authority that signed it is not known here"
    else:
        why = error.verify_message
    return f"{whose} is not trusted: {why}; {network.trust.remedy}"


def _socks_refusal(text: str, network: Network) -> TapError | None:
    """What a proxy of SOCKS has answered, None if it did not; only a text tells."""
    proxy, server = network.proxy, network.server
    if "authentication" in text.lower():
        return _permanent(
            f"{proxy} does not accept us: its URL has to have the right user name and password"
        )
    if "not allowed by ruleset" in text:
        return _permanent(f"{proxy} does not allow {server}: its rules have to name it")
    if "invalid data" in text:
        return _permanent(f"{proxy} does not answer in SOCKS: {IS_PROXY}")
    if reply := SOCKS_REPLY.search(text):
        return _passing(f"{proxy} cannot reach {server}: {reply[1]}")
    return None
