"""Network: the way from this machine to a server, as variables of the environment describe it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import unquote

import requests
import urllib3

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.transport.trust import Trust

if TYPE_CHECKING:
    import ssl

SOCKS = frozenset({"socks4", "socks4a", "socks5", "socks5h"})
SCHEMES = frozenset({"http", "https", *SOCKS})
"""Of a proxy's URL."""

EXAMPLE = "http://USER:PASSWORD@proxy.example.com:3128"


class Network:
    """The way to one server. Looked up once, and not for each request.

    Args:
        url: Of the server.

    Attributes:
        server: Its host and port, for messages.
        is_tls: Whether it is to answer in TLS.
        proxy: What stands before it, None if nothing does.
        trust: The certificates that are trusted.

    Raises:
        SettingsError: If the URL of the proxy cannot be used.
    """

    def __init__(self, url: str) -> None:
        parts = urllib3.util.parse_url(url)
        self.server = _place(parts)
        self.is_tls = parts.scheme == "https"
        self.proxy = _proxy_before(url)
        self.trust = Trust()

    def check(self) -> None:
        """Check what the environment says, without a connection.

        Raises:
            SettingsError: If it cannot be used.
        """
        if self.is_tls:
            self.trust.context()

    @cached_property
    def context(self) -> ssl.SSLContext:
        """What connections with TLS are made with; not made before there is one.

        Raises:
            SettingsError: If a variable names no certificates.
        """
        return self.trust.context()


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy.

    Attributes:
        url: May hold a password.
        variable: Whose value it is.
        place: Its host and port, for messages.
        is_socks: Whether it speaks SOCKS, and not HTTP.
        has_user: Whether the URL names a user.
    """

    url: str
    variable: str
    place: str
    is_socks: bool
    has_user: bool

    def __str__(self) -> str:
        """As messages name it."""
        return f"the proxy {self.place} of {self.variable}"


def _proxy_before(url: str) -> Proxy | None:
    """The proxy that the environment puts before a URL; `NO_PROXY` is heeded."""
    found = requests.utils.get_environ_proxies(url, no_proxy=None)
    value = requests.utils.select_proxy(url, found) or ""
    chosen = value.strip()
    if not chosen:
        return None
    variable = next(
        (
            name
            for name, each in os.environ.items()
            if each == value and name.lower().endswith("_proxy")
        ),
        "the settings of this system",
    )
    full = chosen if "://" in chosen else f"http://{chosen}"
    try:
        parts = urllib3.util.parse_url(full)
        (parts.host or "").encode("idna")
        unquote(parts.auth or "").encode("latin-1")  # as Basic authentication takes it
    except (ValueError, urllib3.exceptions.HTTPError):
        raise _wrong_proxy(variable) from None
    rest = f"{parts.path}{parts.query}{parts.fragment}"
    if parts.scheme not in SCHEMES or not parts.host or "@" in rest:
        raise _wrong_proxy(variable)
    if parts.scheme in SOCKS and not find_spec("socks"):
        raise SettingsError(
            f"{variable} names a proxy of SOCKS, which needs one more package: "
            "pip install 'tap-freshbooks[socks]'"
        )
    return Proxy(full, variable, _place(parts), parts.scheme in SOCKS, bool(parts.auth))


def _place(parts: urllib3.util.Url) -> str:
    return f"{parts.host}:{parts.port}" if parts.port else str(parts.host)


def _wrong_proxy(variable: str) -> SettingsError:
    return SettingsError(
        f"{variable} does not name a proxy that can be used: wanted is a URL such as {EXAMPLE} "
        f"(or {', '.join(sorted(SCHEMES - {'http'}))}), in which special characters of the user "
        "name and the password are percent-encoded (@ as %40, # as %23)"
    )
