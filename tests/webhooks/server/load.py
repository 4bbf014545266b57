"""A receiver under load: how much it takes, how quickly it answers, and what a kill costs.

`python -m tests.webhooks.server.load sqlite` (or `postgres`) sends genuine deliveries to `webhooks
serve` for half a minute, and then kills it at random moments meanwhile: what was answered must be
stored.
"""

from __future__ import annotations

import http.client
import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import click

from demo.pipeline import Postgres
from tap_freshbooks.webhooks.inbox import GAP, Inbox
from tests.webhooks.receivers import (
    ACCOUNT,
    ReceiverProcess,
    add_verified_callback,
    event_fields,
    signed,
)


@dataclass
class Load:
    """What became of the deliveries of some threads."""

    answered: set[int] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0


class Senders:
    """Threads that deliver, each over one connection, until the block ends."""

    def __init__(self, port: int, path: str, threads: int) -> None:
        self.load = Load()
        self._port = port
        self._path = path
        self._numbers = count(1)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self.load

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._ended.is_set():
            number = next(self._numbers)
            body, headers = signed(event_fields(object_id=number))
            started = time.perf_counter()
            try:
                connection.request("POST", f"/{self._path}", body, headers)
                answer = connection.getresponse()
                answer.read()
                taken = answer.status == 200
            except (http.client.HTTPException, OSError):
                connection.close()
                taken = False
                time.sleep(0.05)  # it is being started again
            if taken:
                self.load.answered.add(number)
                self.load.seconds.append(time.perf_counter() - started)
            else:
                self.load.refused += 1
        connection.close()


def stored(inbox: Inbox) -> set[int]:
    """The objects of which events are in the inbox."""
    _, last = inbox.extent()
    events = inbox.read(ACCOUNT, ["invoice"], 0, last)
    return {int(each.object_id) for each in events if each.name != GAP}


def kill_under_load(location: str, folder: Path, kills: int, pause: tuple[float, float]) -> Load:
    """Kill the receiver at random moments while it takes deliveries, and start it again."""
    with closing(Inbox(location)) as inbox:
        path = add_verified_callback(inbox).path
    config = {"webhook_inbox": location}
    process = ReceiverProcess(config, folder)
    try:
        with Senders(process.port, path, 8) as load:
            for _ in range(kills):
                before = len(load.answered)
                while len(load.answered) < before + 20:  # it is under load
                    time.sleep(0.01)
                time.sleep(random.uniform(*pause))  # noqa: S311
                process.kill()
                process = ReceiverProcess(config, folder, process.port)
        return load
    finally:
        process.kill()


def main(kind: str = "sqlite", kills: str = "5", seconds: str = "30") -> None:
    """Report figures for one kind of inbox."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "postgres":
            with Postgres(folder / "data") as server:
                _report(server.url(), folder, int(kills), float(seconds))
        else:
            _report(str(folder / "inbox.db"), folder, int(kills), float(seconds))


def _report(location: str, folder: Path, kills: int, seconds: float) -> None:
    inbox = Inbox(location)
    path = add_verified_callback(inbox).path
    process = ReceiverProcess({"webhook_inbox": location}, folder)
    for threads in (1, 8, 32):
        with Senders(process.port, path, threads) as load:
            time.sleep(seconds)
        centiles = statistics.quantiles(load.seconds, n=100)
        lost = load.answered - stored(inbox)
        click.echo(
            f"{threads} at once: {len(load.answered) / seconds:.0f} deliveries/s; p50 "
            f"{centiles[49] * 1000:.1f} ms, p99 {centiles[98] * 1000:.1f} ms; refused "
            f"{load.refused}, lost {len(lost)}"
        )
        inbox.prune(time.time() + 1)
    process.end()
    load = kill_under_load(location, folder, kills, (0.0, 2.0))
    lost = load.answered - stored(inbox)
    click.echo(f"{kills} kills: {len(load.answered)} answered, {len(lost)} lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
