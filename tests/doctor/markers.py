"""A server between the tap and a sandbox that replaces all that it answers by markers."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from string import ascii_lowercase
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "zq"
"""In each text and each name of a key that is a marker."""

NUMBER = 770_000_000
"""Marked numbers begin with it, alone and in texts."""

YEAR = "2031"
"""Of each marked date."""

MARKER = re.compile(rf"{MARK}|77\d{{4,}}|{YEAR}", re.IGNORECASE)
"""Finds a marker in a text."""

DATE = re.compile(r"\d{4}(-\d\d-\d\d.*)", re.DOTALL)
NEEDED = frozenset({"page", "pages"})
"""Numbers without which a list cannot be read."""

REFUSED = ("items", "retainers", "bills", "timers")
"""Last words of paths that are refused, with a marker in the error."""


MOVED = ("taxes", "services")
"""Last words of paths whose answers are below a marked key."""


class Markers:
    """Makes markers, and knows what they stand for."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.originals: dict[str, str] = {}
        self.made = 0

    def word(self) -> str:
        """A text that might be the name of a field."""
        self.made += 1
        number, letters = next(self._numbers), ""
        while number:
            number, digit = divmod(number, len(ascii_lowercase))
            letters += ascii_lowercase[digit]
        return f"{MARK}_{letters}"

    def replace(self, value: Any, name: str = "") -> Any:
        """The same value with a marker for each text, number and date, and a marked key more."""
        if isinstance(value, dict):
            inner = {key: self.replace(each, key) for key, each in value.items()}
            return {**inner, self.word(): {self.word(): self.word()}}
        if isinstance(value, list):
            return [self.replace(each, name) for each in value]
        if isinstance(value, bool) or value is None or value == "" or name in NEEDED:
            return value
        marker = self._scalar(value)
        self.originals[str(marker)] = str(value)
        return marker

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, int | float):
            return NUMBER + next(self._numbers)
        if match := DATE.fullmatch(value):
            return YEAR + match[1]
        if re.fullmatch(r"-?\d+\.\d+", value):
            return f"{NUMBER + next(self._numbers)}.37"
        return str(NUMBER + next(self._numbers)) if value.isdecimal() else self.word()

    def original(self, path: str) -> str:
        """A path in which identifiers are what they were."""
        parts = (self.originals.get(unquote(part), unquote(part)) for part in path.split("/"))
        return "/".join(quote(part, safe="") for part in parts)


class Handler(BaseHTTPRequestHandler):
    """Hands requests on, and marks the answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a delayed acknowledgement would cost each answer 40 ms
    markers: ClassVar[Markers]
    upstream: ClassVar[str]

    def do_POST(self) -> None:
        """Hand a request for tokens on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = {"Content-Type": self.headers["Content-Type"]}
        answer = requests.post(self.upstream + self.path, body, headers=kind, timeout=10)
        self._send(answer.status_code, answer.content, {})

    def do_GET(self) -> None:
        """Hand a request on, and mark what is answered."""
        parts = urlsplit(self.path)
        word = self.markers.word
        headers = {"X-Version": word(), "x-api-version": word(), "ETag": word(), word(): word()}
        if parts.path.rpartition("/")[2] in REFUSED:
            scope = f"insufficient_scope: Required: ['user:{word()}:read'] {word()}"
            error = {"message": f"{scope} {NUMBER}", "errno": NUMBER, word(): word()}
            self._send(403, json.dumps(error).encode(), headers)
            return
        sent = {"Authorization": self.headers["Authorization"]}
        if version := self.headers["x-api-version"]:
            sent["x-api-version"] = version
        url = f"{self.upstream}{self.markers.original(parts.path)}?{parts.query}"
        answer = requests.get(url, headers=sent, timeout=10)
        body = self.markers.replace(json.loads(answer.content))
        if parts.path.rpartition("/")[2] in MOVED:
            body = {word(): body}
        self._send(answer.status_code, json.dumps(body).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", f"application/{MARK}")
        self.send_header("Date", f"Mon, 07 Jul {YEAR} 10:11:12 GMT")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Be silent."""


@contextmanager
def marking(url: str) -> Iterator[tuple[str, Markers]]:
    """Run the server; gives its address and the markers that it made."""
    markers = Markers()
    handler = type("Marking", (Handler,), {"markers": markers, "upstream": url})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", markers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
