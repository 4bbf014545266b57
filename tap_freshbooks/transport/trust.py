"""Trust: which certificates a connection with TLS accepts, as variables of the environment say."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import truststore
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tap_freshbooks.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

ONLY = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name all that is trusted; the first that is set counts, as for requests."""

BESIDES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of OpenSSL: what they name is trusted besides the system's store."""

BEGINNING = b"-----BEGIN CERTIFICATE-----"

HASHED_NAME = re.compile(r"[0-9a-fA-F]{8}\.[0-9]+")
"""The names under which OpenSSL looks for certificates in a folder."""


class Trust:
    """The certificates that the environment lets us trust, at the time when this is made.

    Attributes:
        named: Variables and the paths in them that count.
        is_limited: Whether nothing else is trusted.
    """

    def __init__(self) -> None:
        only = _set_variables(ONLY)[:1]
        self.is_limited = bool(only)
        self.named = only or _set_variables(BESIDES)

    def context(self) -> ssl.SSLContext:
        """What connections are made with.

        Raises:
            SettingsError: If a variable names no certificates.
        """
        context = ssl.SSLContext if self.is_limited else truststore.SSLContext
        made: ssl.SSLContext = context(ssl.PROTOCOL_TLS_CLIENT)
        if not self.is_limited:  # a machine may have no store, or an old one
            with contextlib.suppress(OSError):  # of distributions that put it elsewhere
                made.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        for variable, path in self.named:
            _load(made, variable, path)
        return made

    @property
    def remedy(self) -> str:
        """What to do about a certificate that should be trusted, as a clause."""
        if self.is_limited:
            [(variable, path)] = self.named
            others = [name for name, _ in _set_variables((*ONLY, *BESIDES)) if name != variable]
            verb = "counts" if len(others) == 1 else "count"
            unused = f"; {' and '.join(others)} {verb} only without it" if others else ""
            return (
                f"{variable} ({path}) names all that is trusted{unused}: add to that file, as PEM, "
                "the certificate of the authority that signs in your network"
            )
        besides = "".join(f", and what {variable} ({path}) names" for variable, path in self.named)
        return (
            f"trusted are the store of this system and the authorities of the public web{besides}. "
            "If your network has an authority of its own, as behind a proxy that reads TLS, let "
            "SSL_CERT_FILE name a file with its certificate (PEM), or REQUESTS_CA_BUNDLE a file "
            "with all that are to be trusted"
        )


def _set_variables(names: Iterable[str]) -> list[tuple[str, str]]:
    """Those of the variables that have a value: a blank one has none."""
    return [(name, value) for name in names if (value := os.environ.get(name, "").strip())]


def _load(context: ssl.SSLContext, variable: str, path: str) -> None:
    try:
        if variable == "SSL_CERT_DIR":
            problem = _load_folders(context, path)
        elif Path(path).is_dir() and variable != "SSL_CERT_FILE":
            problem = _load_folder(context, Path(path))
        else:
            problem = _load_file(context, Path(path))
    except ssl.SSLError:
        problem = f"holds no certificates as PEM ({BEGINNING.decode()})"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if problem:
        raise SettingsError(
            f"the certificates that {variable} names cannot be used: {path} {problem}. Correct "
            "the variable, or remove it"
        )


def _load_file(context: ssl.SSLContext, path: Path) -> str:
    """Trust what a file holds; returns what is wrong, if anything."""
    if not path.is_file():  # a pipe, say, would never end
        return "is no file" if path.exists() else "is not there"
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        if BEGINNING not in path.read_bytes():
            raise
        return (
            "holds a certificate that is broken, as two files put together are where the first "
            "does not end its last line"
        )
    return ""


def _load_folder(context: ssl.SSLContext, path: Path) -> str:
    if not any(HASHED_NAME.fullmatch(each.name) for each in path.iterdir()):
        return "holds no certificates by their hashes, which `openssl rehash` makes"
    context.load_verify_locations(capath=path)
    return ""


def _load_folders(context: ssl.SSLContext, paths: str) -> str:
    """Trust what one folder of several holds at least, as OpenSSL reads the variable."""
    folders = [each for each in paths.split(os.pathsep) if Path(each).is_dir()]
    for folder in folders:
        context.load_verify_locations(capath=folder)
    return "" if folders else "is no folder"
