"""How many connections there may be, and what of it gets into the log."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from tap_freshbooks.webhooks.server import http_connection, http_server
from tap_freshbooks.webhooks.server.http_connection import max_connections
from tap_freshbooks.webhooks.server.log_limit import LogLimit
from tests.webhooks.receivers import ReceiverThread, event_fields, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_freshbooks.webhooks.callbacks.store import Callback

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


def test_silent_connections_keep_nobody_out(
    running: ReceiverThread,
    callback: Callback,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(http_connection, "MAX_CONNECTIONS", 20)
    body, headers = signed(event_fields())
    with ExitStack() as stack:
        silent = [stack.enter_context(running.connect()) for _ in range(60)]
        busy = stack.enter_context(running.connect())
        head = f"POST /{callback.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        busy.sendall(f"{head}{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert b" 200 " in busy.recv(1000)
        silent += [stack.enter_context(running.connect()) for _ in range(20)]
        assert running.post(callback.path, event_fields()) == 200
        alive = 0
        for raw in silent:
            raw.setblocking(False)
            try:
                alive += bool(raw.recv(1))
            except BlockingIOError:
                alive += 1
            except ConnectionError:
                pass
        assert alive == 19  # and that of `running.post`
    told = [each for each in caplog.records if "There are 20 connections" in each.getMessage()]
    assert len(told) == 1


def test_the_limit_of_open_files_leaves_some_for_the_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def limit(files: int) -> int:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
        return max_connections()

    assert [limit(files) for files in (64, 256, 1024)] == [32, 128, 500]
    assert limit(resource.RLIM_INFINITY) == 500


def test_where_few_files_may_be_open_connections_are_taken_few_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for files, lot in ((16, 1), (64, 4), (128, 8), (1024, 20)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        # Those that are taken, and as many that are closed for them, fit into what is left.
        assert http_server.HttpServer(Starlette()).config.backlog == lot
        assert files <= 16 or 2 * lot < files - max_connections()


def test_what_the_operating_system_refuses_is_told_once_and_tried_again(
    running: ReceiverThread, callback: Callback, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(used)]
        last = max(each.fileno() for each in clients)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, limits[1]))
        try:
            for raw in clients[-5:]:
                raw.settimeout(9)
                raw.connect(("127.0.0.1", running.port))
                raw.sendall(GET + b"\r\n")
            deadline = time.monotonic() + 9
            while "refuses" not in caplog.text:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert all(b" 200 " in raw.recv(1000) for raw in clients[-5:])
    assert running.post(callback.path, event_fields()) == 200
    [told] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "refuses new connections (Too many open files)" in told.getMessage()
    assert told.exc_info is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_refusals_are_counted_and_do_not_fill_the_log(number: int) -> None:
    limit, told = LogLimit(), []
    logger = logging.getLogger("tap-freshbooks.webhooks")

    def keep(record: logging.LogRecord) -> bool:
        told.append(record.getMessage())
        return False

    filters: list[Callable[[logging.LogRecord], bool] | LogLimit] = [limit, keep]
    loop = asyncio.new_event_loop()
    loop.close()
    for each in filters:
        logger.addFilter(each)
    try:
        for _ in range(1000):
            http_server.report(loop, {"exception": OSError(number, "no means")})
        limit.interval = 0.0
        http_server.report(loop, {"exception": OSError(number, "no means")})
    finally:
        for each in filters:
            logger.removeFilter(each)
    assert len(told) == 2
    assert "(no means)" in told[0]
    assert told[1].endswith(" (999 more like this before)")


TLS = bytes.fromhex("16030100c8010000c40303")


def test_garbage_fills_no_log(running: ReceiverThread, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "uvicorn.error")  # the server of a login sets its own
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    for _ in range(30):
        for raw in (TLS, GET + upgrade):
            with running.connect() as connection:
                connection.sendall(raw)
                assert connection.recv(1000)
    warnings = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(set(warnings)) == len(warnings) == 2
    assert not [each for each in warnings if "install" in each]  # advice that is not for ours
