"""A FreshBooks that costs next to nothing: one account whose invoices are a page played again.

The page comes from the sandbox. Each answer has ids of its own, spliced into the encoded page, so
that a million records need no memory here and hardly any time. It knows `page` and `per_page`
(100 at most), answers `search[vis_state]` and `search[v3_status]` with an empty list, and
`search[updated_min]` too unless the day is before every row.

`POST /bench?records=…&latency=…` sets the stage and counts anew; `GET /bench` tells the counts.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from freshbooks_sandbox import Sandbox

PER_PAGE = 100
MOST_LINES = 2
"""Rows of the sandbox have one to five lines; with at most two they have about 3 kB."""

FIRST_ID = 10_000_000
INCLUDES = (
    *("lines", "presentation", "allowed_gateways", "contacts", "owner"),
    *("late_fee", "late_reminders", "direct_links", "attachments"),
)
TOKEN = b'{"access_token":"bench","token_type":"Bearer","expires_in":43200,"refresh_token":"next"}'
EARLY = "0001-01-01"


@dataclass
class Books:
    """The account, and a page of its invoices cut where the ids belong."""

    account: str
    identity: bytes
    pieces: list[bytes]
    places: list[list[int]]
    oldest_day: str
    row_bytes: float

    @classmethod
    def from_sandbox(cls) -> Books:
        """Ask a sandbox for a user and a page, and forget the sandbox."""
        with Sandbox(invoices=400, rate_limit=0) as sandbox:
            config = sandbox.config()
            credentials = ("client_id", "client_secret", "redirect_uri", "refresh_token")
            body = {name: config[name] for name in credentials}
            grant = requests.post(
                f"{sandbox.url}/auth/oauth/token",
                json={"grant_type": "refresh_token", **body},
                timeout=60,
            ).json()
            session = requests.Session()
            session.headers["Authorization"] = f"Bearer {grant['access_token']}"
            identity = session.get(f"{sandbox.url}/auth/api/v1/users/me").json()
            account = sandbox.businesses()[0]["account_id"]
            includes = [("include[]", name) for name in INCLUDES]
            rows = []
            for page in range(1, 5):
                rows += session.get(
                    f"{sandbox.url}/accounting/account/{account}/invoices/invoices",
                    params=[*includes, ("per_page", PER_PAGE), ("page", page)],
                ).json()["response"]["result"]["invoices"]
        rows = [row for row in rows if len(row["lines"]) <= MOST_LINES][:PER_PAGE]
        response = identity["response"]
        response["business_memberships"] = response["business_memberships"][:1]
        response["groups"] = response["groups"][:1]
        pieces, places = _cut(rows)
        return cls(
            account=account,
            identity=json.dumps(identity).encode(),
            pieces=pieces,
            places=places,
            oldest_day=min(row["updated"] for row in rows)[:10],
            row_bytes=sum(map(len, pieces)) / len(rows),
        )

    def rows(self, first: int, count: int) -> bytes:
        """Encoded rows from a position on, separated by commas."""
        pieces = self.pieces.copy()
        for row, places in enumerate(self.places):
            identifier = b"%d" % (FIRST_ID + first + row)
            for place in places:
                pieces[place] = identifier
        if count < len(self.places):
            pieces = pieces[: self.places[count][0] - 2]
            pieces[-1] = pieces[-1].rstrip(b",")
        return b"".join(pieces)


def _cut(rows: list[dict[str, Any]]) -> tuple[list[bytes], list[list[int]]]:
    """Encode rows, and cut them at each mention of the invoice's id.

    Returns:
        Pieces, every other one to be replaced by an id; for each row the places of its ids.
    """
    pieces: list[bytes] = []
    places: list[list[int]] = []
    for row in rows:
        # The id first, so that a row begins with a place.
        ordered = {"id": None, **row}
        text = json.dumps(_marked(ordered, row["invoiceid"]), separators=(",", ":"))
        parts = text.split('"@id"')
        mine = []
        for part in parts[:-1]:
            pieces += [part.encode(), b""]
            mine.append(len(pieces) - 1)
        pieces += [parts[-1].encode() + b",", b""]
        places.append(mine)
    pieces[-2] = pieces[-2].rstrip(b",")
    return pieces, places


def _marked(value: Any, identifier: int, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _marked(each, identifier, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_marked(each, identifier) for each in value]
    return "@id" if name in {"id", "invoiceid"} and value == identifier else value


@dataclass
class Stage:
    """What is played, and what was asked."""

    books: Books
    records: int = 1000
    latency: float = 0.0
    paths: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    cpu_before: float = 0.0

    def set(self, query: dict[str, str]) -> None:
        """Set the number of records and the latency; count from zero."""
        self.records = int(query.get("records", self.records))
        self.latency = float(query.get("latency", self.latency))
        self.paths = {}
        self.most_in_flight = self.in_flight
        self.cpu_before = time.process_time()

    def counts(self) -> dict[str, Any]:
        """What was asked since the stage was set."""
        return {
            "account": self.books.account,
            "row_bytes": self.books.row_bytes,
            "requests": sum(self.paths.values()),
            "paths": self.paths,
            "most_in_flight": self.most_in_flight,
            "cpu": time.process_time() - self.cpu_before,
        }

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        """Status and body for a request of a contestant."""
        if path == "/auth/oauth/token":
            return 200, TOKEN
        if path == "/auth/api/v1/users/me":
            return 200, self.books.identity
        if path == f"/accounting/account/{self.books.account}/invoices/invoices":
            return 200, self.invoices(query)
        return 404, b'{"response":{"errors":[{"errno":1012,"message":"Not found"}]}}'

    def invoices(self, query: dict[str, str]) -> bytes:
        """A page of invoices."""
        filtered = "search[vis_state]" in query or "search[v3_status]" in query
        changed_since = query.get("search[updated_min]", EARLY)[:10]
        total = 0 if filtered or changed_since >= self.books.oldest_day else self.records
        size = min(int(query.get("per_page", 15)), PER_PAGE)
        page = max(int(query.get("page", 1)), 1)
        first = (page - 1) * size
        count = max(0, min(size, total - first))
        rows = self.books.rows(first, count) if count else b""
        facts = (page, -(-total // size), size, total)
        return b'{"response":{"result":{"invoices":[%b],' % rows + (
            b'"page":%d,"pages":%d,"per_page":%d,"total":%d}}}' % facts
        )


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as far as the contestants speak it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for mypy; TCP has no other
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            self.request(method, target)

    def request(self, method: str, target: str) -> None:
        """Answer at once, or after the latency."""
        stage = self.stage
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/bench":
            if method == "POST":
                stage.set(query)
            self.reply(200, json.dumps(stage.counts()).encode())
            return
        stage.paths[url.path] = stage.paths.get(url.path, 0) + 1
        stage.in_flight += 1
        stage.most_in_flight = max(stage.most_in_flight, stage.in_flight)
        status, body = stage.answer(url.path, query)
        if stage.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(stage.latency, self.finish, status, body)
        else:
            self.finish(status, body)

    def finish(self, status: int, body: bytes) -> None:
        """Send what a contestant waits for."""
        self.stage.in_flight -= 1
        self.reply(status, body)

    def reply(self, status: int, body: bytes) -> None:
        """Send an answer, unless nobody is there any more."""
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
            head += f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)


async def serve() -> None:
    """Listen on a free port, and print the address."""
    stage = Stage(Books.from_sandbox())
    # asyncio turns Nagle off only where the protocol is named; else answers wait for 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stage), sock=sock, backlog=512)
    sys.stdout.write(f"http://127.0.0.1:{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
