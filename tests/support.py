"""What tests share: running the tap inside the process and looking at its messages."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from tap_freshbooks.errors import StreamsFailedError
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.singerlib.encoding.simple import Message

Record = dict[str, Any]

Command = Callable[..., tuple[int, str, str]]
"""Runs a command line: exit status, output, errors."""

QUICK = {"requests_per_second": 10_000}
"""Settings of tests that do not ask about pace."""


class Messages(SimpleSingerWriter):
    """A writer that keeps the messages instead of writing them."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[dict[str, Any]] = []

    def write_message(self, message: Message) -> None:
        self.all.append(deepcopy(message.to_dict()))

    @property
    def records(self) -> dict[str, list[Record]]:
        """Records per stream, in their order."""
        records = defaultdict(list)
        for message in self.all:
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return records

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        states = [message["value"] for message in self.all if message["type"] == "STATE"]
        return states[-1] if states else {}


@lru_cache
def _entries() -> dict[str, tuple[str, str]]:
    """Each stream's entry in a catalog, as JSON: selected, and not selected."""
    entries = {}
    for entry in TapFreshBooks(config={}, validate_config=False).catalog_dict["streams"]:
        [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
        whole["metadata"]["selected"] = True
        selected = json.dumps(entry)
        whole["metadata"]["selected"] = False
        fieldless = {"schema": {"type": "object", "properties": {}}, "metadata": [whole]}
        entries[entry["stream"]] = selected, json.dumps({**entry, **fieldless})
    return entries


def every_stream() -> list[str]:
    """Names of all streams, the unified ones included."""
    return list(_entries())


def catalog_of(*streams: str) -> dict[str, Any]:
    """A catalog in which only these streams are selected.

    The others have no fields: a sync that need not read their schemas takes a quarter of the time.
    """
    entries = _entries()
    assert entries.keys() >= set(streams)
    chosen = (selected if name in streams else not_ for name, (selected, not_) in entries.items())
    catalog: dict[str, Any] = json.loads(f'{{"streams": [{", ".join(chosen)}]}}')
    return catalog


def sync(config: Mapping[str, Any], *streams: str, state: dict[str, Any] | None = None) -> Messages:
    """Run the tap; all streams if none is named."""
    messages = Messages()
    tap = TapFreshBooks(
        config={**QUICK, **config},
        catalog=catalog_of(*streams) if streams else None,
        state=deepcopy(state),
        message_writer=messages,
    )
    tap.sync()
    return messages


def failing_sync(
    config: Mapping[str, Any], *streams: str, state: dict[str, Any] | None = None
) -> tuple[Messages, str]:
    """Run the tap to its end, where some streams fail; returns the sentence of that, too."""
    messages = Messages()
    tap = TapFreshBooks(
        config={**QUICK, **config},
        catalog=catalog_of(*streams) if streams else None,
        state=deepcopy(state),
        message_writer=messages,
    )
    with pytest.raises(StreamsFailedError) as failure:
        tap.sync()
    return messages, str(failure.value)


@contextlib.contextmanager
def answering(*parts: bytes, drips: bool = False) -> Iterator[str]:
    """A server that answers every connection with the same bytes.

    Args:
        parts: Of the answer, after which the connection is closed.
        drips: Whether a byte now and then follows instead, until the caller leaves.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    with peer, contextlib.suppress(OSError):
                        peer.recv(65_536)
                        for part in parts:
                            peer.sendall(part)
                        while drips:
                            peer.sendall(b"x")
                            time.sleep(0.05)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def unmeasured() -> dict[str, str]:
    """An environment for processes that get signals, without coverage.

    Its lock stays locked for ever when a signal arrives inside.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
