"""Requests that are none of FreshBooks', or are sent again: only genuine ones may be stored.

`python -m tests.webhooks.server.fuzz 50000` sends so many to a receiver in a process of its own,
and reports what was answered, what was stored, and how much memory the receiver took meanwhile.
"""

from __future__ import annotations

import http.client
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from freshbooks_sandbox.webhooks.signature import Forgery, forge, sign
from tap_freshbooks.webhooks.inbox import GAP, Inbox
from tap_freshbooks.webhooks.server import receiver
from tests.webhooks.receivers import (
    ACCOUNT,
    SECRET,
    ReceiverThread,
    add_verified_callback,
    event_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

HEADER = "X-FreshBooks-Hmac-SHA256"


@dataclass(frozen=True)
class Request:
    """One request, and whether it is genuine."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    is_genuine: bool = False


def requests_to(path: str) -> st.SearchStrategy[Request]:
    """Malformed, oversized, forged and replayed requests to the callback with a path."""
    token = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
    signature = st.one_of(token, st.binary(max_size=32).map(lambda raw: raw.hex()))
    headers: st.SearchStrategy[dict[str, str]] = st.one_of(
        st.just({}),
        signature.map(lambda value: {HEADER: value}),
        st.dictionaries(st.sampled_from(["Content-Type", "Expect", "Cookie", HEADER]), token),
    )
    paths = st.one_of(
        st.just(path),
        st.just(path),
        st.text(st.sampled_from("abc/.%?&=-_~0"), max_size=40),
        st.sampled_from(["healthz", "readyz", "metrics", "metrics/", path + "/", path[:-1]]),
    )
    name = st.sampled_from(
        ["invoice.create", "callback.verify", "invoice", "", "gap", "*", "payment.delete"]
    )
    fields = st.dictionaries(
        st.one_of(st.sampled_from(list(event_fields())), st.text(max_size=12)),
        st.one_of(name, st.text(max_size=30), st.integers().map(str)),
        max_size=12,
    )
    nonsense = st.builds(Request, paths, st.binary(max_size=2_000), headers)
    forms = st.builds(Request, paths, fields.map(_encode), headers)
    unsigned = st.builds(
        Request,
        st.just(path),
        st.builds(lambda more: _encode({**event_fields(), **more}), fields),
        headers,
    )
    oversized = st.builds(
        Request,
        st.just(path),
        st.builds(
            lambda byte, size: bytes([byte]) * size, st.integers(0, 255), st.integers(0, 90)
        ).map(lambda part: part * 1_000),
        headers,
    )
    methods = st.builds(
        Request,
        paths,
        st.binary(max_size=100),
        headers,
        st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]),
    )
    number = st.integers(1, 10_000)
    how: st.SearchStrategy[Forgery] = st.sampled_from(["secret", "raw", "compact", "missing"])
    forged = st.builds(lambda how, number: _forged(path, how, number), how, number)
    replayed = st.builds(lambda number: _genuine(path, number), number)
    return st.one_of(nonsense, forms, unsigned, oversized, methods, forged, replayed)


def _encode(fields: dict[str, str]) -> bytes:
    return urlencode(fields, errors="replace").encode()


def _forged(path: str, how: Forgery, number: int) -> Request:
    fields = event_fields(object_id=number)
    signature = forge(how, SECRET, fields)
    headers = {HEADER: signature} if signature is not None else {}
    return Request(path, urlencode(fields).encode(), headers)


def _genuine(path: str, number: int) -> Request:
    fields = event_fields(object_id=number)
    headers = {HEADER: sign(SECRET, fields)}
    return Request(path, urlencode(fields).encode(), headers, is_genuine=True)


class Sender:
    """Sends requests over one connection, and counts the answers."""

    def __init__(self, url: str) -> None:
        self.answers: Counter[tuple[bool, int]] = Counter()
        self._address = url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self._address, timeout=30)

    def send(self, request: Request) -> int:
        """The status; 0 where the server closed the connection while it was being sent."""
        target = "/" + request.path.lstrip("/")
        try:
            self._connection.request(request.method, target, request.body, request.headers)
            answer = self._connection.getresponse()
            answer.read()
            status = answer.status
        except (http.client.HTTPException, ConnectionError):
            status = 0
        if status in {0, 413}:
            self._connection.close()
        self.answers[request.is_genuine, status] += 1
        return status

    def close(self) -> None:
        self._connection.close()


def fuzz(path: str, sender: Sender, number: int, seen: Callable[[], None] = lambda: None) -> None:
    """Send so many requests; each must be answered as it deserves."""

    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(requests_to(path))
    def send(request: Request) -> None:
        status = sender.send(request)
        assert status < 500, request
        if request.is_genuine:
            assert status == 200, request
        elif request.method == "POST":
            assert not 200 <= status < 400, (status, request)
        seen()

    send()


def stored(inbox: Inbox) -> int:
    """How many events are in the inbox."""
    _, last = inbox.extent()
    return sum(each.name != GAP for each in inbox.read(ACCOUNT, ["invoice"], 0, last))


def serve(location: str, channel: Connection) -> None:
    """Receive until the other end sends something, without a limit of rejected requests."""
    receiver.MAX_REJECTED_PER_SECOND = receiver.MAX_VERIFICATIONS_PER_MINUTE = 10**9
    with ReceiverThread(Inbox(location)) as running:
        channel.send(running.url)
        channel.recv()


def main(number: int) -> None:
    """Report what became of so many requests."""
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(str(Path(folder) / "inbox.db"))
        callback = add_verified_callback(inbox)
        spawn = multiprocessing.get_context("spawn")
        channel, theirs = spawn.Pipe()
        process = spawn.Process(target=serve, args=(str(inbox.database.url.database), theirs))
        process.start()
        sender = Sender(channel.recv())
        memory: list[int] = []

        def seen() -> None:
            if sum(sender.answers.values()) % max(1, number // 10) == 0:
                memory.append(_memory(process.pid))

        started = time.monotonic()
        fuzz(callback.path, sender, number, seen)
        seconds = time.monotonic() - started
        sender.close()
        channel.send("end")
        process.join()
        answers: Counter[int] = Counter()
        for (_, status), times in sender.answers.items():
            answers[status] += times
        genuine = sum(times for (is_genuine, _), times in sender.answers.items() if is_genuine)
        click.echo(f"{sum(answers.values())} requests in {seconds:.0f} s; answers: {dict(answers)}")
        click.echo(f"{genuine} were genuine; {stored(inbox)} events are stored")
        click.echo(f"Memory of the receiver, MB: {[size // 1024 for size in memory]}")


def _memory(pid: int | None) -> int:
    """Resident kB of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["50000"]))
