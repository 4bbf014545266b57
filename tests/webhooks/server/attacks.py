"""What strangers can do to the open port of `webhooks serve`, and what it costs honest deliveries.

`python -m tests.webhooks.server.attacks` runs a receiver in a process of its own for a minute or
two, and prints a line for each attack: what became of it, whether genuine deliveries were taken
meanwhile and how quickly, and how many lines the log got.
"""

from __future__ import annotations

import contextlib
import http.client
import resource
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_freshbooks.webhooks.callbacks.store import new_path
from tap_freshbooks.webhooks.inbox import Inbox
from tests.webhooks.receivers import ReceiverProcess, add_verified_callback, event_fields, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SILENT = 1_000
"""Connections of an attack that holds them."""

SECONDS = 10.0
"""How long an attack that sends goes on."""

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
TLS = bytes.fromhex("16030100c8010000c40303") + bytes(200)


class Attacks:
    """Attacks on a receiver that runs.

    Args:
        process: The receiver.
        path: Of a callback that it knows.
    """

    def __init__(self, process: ReceiverProcess, path: str) -> None:
        self.process = process
        self._path = path
        self._log_lines = 0
        self._own_sockets = 0
        self._own_sockets = self._count_sockets()

    def deliver(self) -> str:
        """Deliver for a second, each over a connection of its own; how that went."""
        taken, refused, slowest = 0, 0, 0.0
        began = time.monotonic()
        while time.monotonic() < began + 1:
            body, headers = signed(event_fields())
            started = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", self.process.port, timeout=10)
            try:
                connection.request("POST", f"/{self._path}", body, headers)
                is_taken = connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                is_taken = False
            finally:
                connection.close()
            taken, refused = taken + is_taken, refused + (not is_taken)
            slowest = max(slowest, time.perf_counter() - started)
        return f"{taken} deliveries taken, {refused} not, the slowest in {slowest * 1000:.0f} ms"

    def report(self, name: str, outcome: str) -> None:
        """Print a line of the table."""
        lines = len(self.process.log.read_text().splitlines())
        click.echo(f"| {name} | {outcome} | {lines - self._log_lines} |")
        self._log_lines = lines

    def hold(self, name: str, first: bytes, drip: bytes = b"") -> None:
        """Hold many connections, on which something is sent once a second, until all are closed."""
        with ExitStack() as stack:
            held = [stack.enter_context(self._connect()) for _ in range(SILENT)]
            began = time.monotonic()
            for raw in held:
                raw.setblocking(False)
                _send(raw, first)
            time.sleep(0.5)
            at_once = self._count_sockets()
            honest = self.deliver()
            while (still := self._count_sockets() > 0) and time.monotonic() - began < 60:
                for raw in held:
                    _send(raw, drip)
                time.sleep(1)
            gone = f"the last after {time.monotonic() - began:.0f} s" if not still else "NEVER GONE"
        self.report(name, f"{at_once} of {SILENT} held, {gone}; {honest}")

    def flood(self, name: str, requests: Callable[[], Iterator[bytes]]) -> None:
        """Send requests over four connections at once, as quickly as they are answered."""
        ended, sent = threading.Event(), [0] * 4

        def send(number: int) -> None:
            for request in requests():
                if ended.is_set():
                    return
                with contextlib.suppress(OSError), self._connect() as raw:
                    raw.sendall(request)
                    raw.recv(65_536)
                sent[number] += 1

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS - 1)
        honest = self.deliver()
        ended.set()
        for thread in threads:
            thread.join()
        self.report(name, f"{sum(sent) / SECONDS:.0f} requests/s; {honest}")

    def use_up_files(self, name: str) -> None:
        """Leave the receiver no file for another connection, for a while."""
        pid = self.process.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir())
        with ExitStack() as stack:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, limits[1]))
            held = [stack.enter_context(self._connect()) for _ in range(20)]
            began = _cpu_seconds(pid)
            time.sleep(SECONDS)
            used_up = _cpu_seconds(pid) - began
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            time.sleep(1.5)
            _send(held[-1], GET + b"\r\n")
            answered = held[-1].recv(1000)[:12].decode()
        self.report(name, f"{used_up / SECONDS:.1%} of a CPU, afterwards {answered}")

    def _count_sockets(self) -> int:
        """Of the receiver, more than when nobody is connected."""
        folder = Path(f"/proc/{self.process.process.pid}/fd")
        count = 0
        for each in folder.iterdir():
            with contextlib.suppress(OSError):
                count += str(each.readlink()).startswith("socket:")
        return count - self._own_sockets

    def _connect(self) -> socket.socket:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # soon full, if nobody reads
        raw.settimeout(10)
        raw.connect(("127.0.0.1", self.process.port))
        return raw


def _send(raw: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        raw.send(data)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _endless(request: bytes) -> Callable[[], Iterator[bytes]]:
    def requests() -> Iterator[bytes]:
        while True:
            yield request

    return requests


def _unknown_paths() -> Iterator[bytes]:
    while True:
        yield f"POST /{new_path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()


def main() -> None:
    """Print the table."""
    post = b"POST /a HTTP/1.1\r\nHost: x\r\n"
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(str(Path(folder) / "inbox.db"))
        path = add_verified_callback(inbox).path
        location = str(inbox.database.url.database)
        attacks = Attacks(ReceiverProcess({"webhook_inbox": location}, Path(folder)), path)
        attacks.report("none", attacks.deliver())
        attacks.hold("silent", b"")
        attacks.hold("half a head", b"GET /healthz HTTP/1.1\r\nX: ")
        attacks.hold("head byte by byte", b"GET /healthz HTTP/1.1\r\nX: ", b"x")
        attacks.hold("body byte by byte", post + b"Content-Length: 9999\r\n\r\n", b"x")
        attacks.hold("idle after an answer", GET + b"\r\n")
        attacks.hold("never reads", (GET.replace(b"healthz", b"metrics") + b"\r\n") * 20)
        attacks.flood("TLS", _endless(TLS))
        attacks.flood(
            "WebSocket", _endless(GET + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        )
        attacks.flood(
            "large body", _endless(post + b"Content-Length: 9999999\r\n\r\n" + b"x" * 65_536)
        )
        attacks.flood("unknown paths", _unknown_paths)
        attacks.flood("/readyz", _endless(GET.replace(b"healthz", b"readyz") + b"\r\n"))
        attacks.use_up_files("no file left")
        pid = attacks.process.process.pid
        memory = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]
        click.echo(f"Memory of the receiver: {int(memory) // 1024} MB")
        attacks.process.end()
        click.echo(attacks.process.log.read_text())


if __name__ == "__main__":
    main()
