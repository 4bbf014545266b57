"""Signals while threads work: nothing is cut in two, and no wait is longer than necessary."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tap_freshbooks import signals, standard_streams
from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.errors import RunCancelledError, RunInterruptedError
from tap_freshbooks.tap import TapFreshBooks
from tests.support import QUICK, catalog_of, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer

    from freshbooks_sandbox import Sandbox

ROOT = Path(__file__).parents[1]

READER = """
import json, sys, threading
from tap_freshbooks.errors import RunCancelledError, RunInterruptedError
from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.tap import TapFreshBooks

def read():
    try:
        while True:
            connection.client.get(IDENTITY_PATH, subject="me")
    except RunCancelledError:
        pass

connection = TapFreshBooks(config=json.loads(sys.argv[1]), setup_mapper=False).connection
threads = [threading.Thread(target=read, daemon=True) for _ in range(4)]
try:
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        connection.close()
except RunInterruptedError as interruption:
    sys.exit(interruption.exit_status)
"""
"""Four threads that read for ever, while the main thread waits for them."""


class Arrived(BaseException):
    """A signal was handled."""


def handle(signum: int, _frame: object) -> None:
    if not signals.is_deferred(signum):
        raise Arrived


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, handle)
    yield
    signal.signal(signal.SIGUSR1, before)


def send() -> None:
    signal.raise_signal(signal.SIGUSR1)


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    reached = []

    def work() -> None:
        with signals.deferred():
            send()
            send()
            reached.append("end")

    with pytest.raises(Arrived):
        work()
    assert reached
    with pytest.raises(Arrived):
        send()


def test_a_second_signal_does_not_wait_for_a_block_that_defers_only_one() -> None:
    reached = []

    def work() -> None:
        with signals.deferred(defer_second=False):
            send()
            reached.append("first")
            send()
            reached.append("second")

    with pytest.raises(Arrived):
        work()
    assert reached == ["first"]


class TestOneSignalIsEnough:
    """Whoever stops a service sends one, and kills some seconds later."""

    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signals, "INTERVAL", 0.05)

    def test_a_wait_that_defers_one_ends(self) -> None:
        def work() -> None:
            with signals.insistent(), signals.deferred(defer_second=False):
                send()
                time.sleep(5)

        with pytest.raises(Arrived):
            work()

    def test_so_does_one_that_begins_afterwards(self) -> None:
        with signals.insistent():
            with pytest.raises(Arrived):
                send()
            with pytest.raises(Arrived), signals.deferred(defer_second=False):
                time.sleep(5)

    def test_what_must_not_be_cut_is_not(self) -> None:
        reached = []

        def work() -> None:
            with signals.insistent(), signals.deferred():
                send()
                time.sleep(0.2)
                reached.append("end")

        with pytest.raises(Arrived):
            work()
        assert reached

    def test_nothing_comes_after_the_run(self) -> None:
        with signals.insistent(), pytest.raises(Arrived):
            send()
        time.sleep(0.1)
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL

    def test_a_run_whose_target_does_not_read_ends_without_a_state(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = {**QUICK, **sandbox.config()}
        tap = TapFreshBooks(config=config, catalog=catalog_of("clients"))
        came: list[int] = []

        class Output(standard_streams._Output):
            """Standard output, at whose first write a signal comes."""

            @override
            def write(self, data: ReadableBuffer, /) -> int:
                if not came:
                    came.append(signal.SIGTERM)
                    os.kill(os.getpid(), signal.SIGTERM)
                return super().write(data)

        with full_pipe() as writer:
            text = standard_streams._text(Output(writer), None)
            monkeypatch.setattr(sys, "stdout", text)
            with pytest.raises(RunInterruptedError) as interruption:
                tap.sync()
            standard_streams.end_output()
            text.close()
        assert not interruption.value.has_state


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


class Holder:
    """A thread that defers signals until `leave` is set."""

    def __init__(self) -> None:
        self.leave = threading.Event()
        self.holds = threading.Event()
        self.left_at = 0.0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.holds.wait(5)

    def _run(self) -> None:
        with signals.deferred():
            self.holds.set()
            self.leave.wait(5)
            self.left_at = time.monotonic()


@pytest.fixture
def holder() -> Iterator[Holder]:
    holder = Holder()
    yield holder
    holder.leave.set()
    holder.thread.join()


def test_a_signal_waits_for_another_thread_and_then_ends_a_wait_for_a_lock(holder: Holder) -> None:
    lock = threading.Lock()
    lock.acquire()
    send()
    send()
    threading.Timer(0.2, holder.leave.set).start()
    with pytest.raises(Arrived):
        lock.acquire(timeout=5)
    assert time.monotonic() - holder.left_at < 0.5


def test_a_second_signal_waits_for_a_block_of_another_thread_that_defers_it(holder: Holder) -> None:
    lock = threading.Lock()
    lock.acquire()

    def work() -> None:
        with signals.deferred(defer_second=False):
            send()
            send()  # the first one would wait for the end of the block even then
            threading.Timer(0.2, holder.leave.set).start()
            lock.acquire(timeout=5)

    with pytest.raises(Arrived):
        work()
    assert holder.left_at
    assert time.monotonic() - holder.left_at < 0.5


def test_one_signal_waits_for_the_block_though_another_thread_has_left(holder: Holder) -> None:
    reached = []

    def work() -> None:
        with signals.deferred(defer_second=False):
            send()
            holder.leave.set()
            holder.thread.join()
            reached.append("end")

    with pytest.raises(Arrived):
        work()
    assert reached


def test_a_close_waits_for_a_refresh_in_spite_of_a_signal(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    connection = TapFreshBooks(config=config, setup_mapper=False).connection
    sandbox.faults("latency", client_id=config["client_id"], path="*/oauth/token", seconds=0.5)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(connection.client.get, IDENTITY_PATH, subject="me")
        wait_for(sandbox, config, path="/oauth/token")
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(Arrived):
            connection.close()
        assert sandbox.stats(config["client_id"])["refreshes"] == 1
        stored = json.loads(Path(config["token_store"]).read_text())
        assert stored["refresh_token"] != config["refresh_token"]
        with pytest.raises(RunCancelledError):
            asked.result(5)
    sandbox.faults_clear()


def test_a_close_does_not_wait_for_who_waits_for_the_store(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    ours, others = (TapFreshBooks(config=config, setup_mapper=False).connection for _ in "ab")
    with ThreadPoolExecutor(1) as pool:
        with others.store.locked():
            asked = pool.submit(ours.client.get, IDENTITY_PATH, subject="me")
            ours.close()
            assert not asked.done()
        with pytest.raises(RunCancelledError):
            asked.result(5)
    assert sandbox.stats(config["client_id"])["requests"] == 0


# Whole processes


class Reader:
    """A process of its own with four threads that read."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, json.dumps(config)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=unmeasured(),
        )

    def interrupt(self, signum: int, times: int = 1) -> None:
        for _ in range(times):
            self.process.send_signal(signum)
            time.sleep(0.05)  # so that they are not merged into one

    def end(self) -> tuple[int, str]:
        """Wait for the end: exit status and stderr."""
        try:
            _, err = self.process.communicate(timeout=20)
        finally:
            self.process.kill()
        return self.process.returncode, err


def wait_for(sandbox: Sandbox, config: dict[str, Any], *, path: str = "", status: str = "") -> None:
    """Wait until a request to this path has come in, or an answer of this status gone out."""
    deadline = time.monotonic() + 30
    while True:
        stats = sandbox.stats(config["client_id"])
        if any(path in asked for asked in stats["paths"]) and (
            not status or status in stats["statuses"]
        ):
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_does_not_cut_the_refresh_of_a_thread(
    sandbox: Sandbox, config: dict[str, Any], times: int
) -> None:
    client_id = config["client_id"]
    sandbox.faults("latency", client_id=client_id, path="*/oauth/token", seconds=1)
    reader = Reader(config)
    try:
        wait_for(sandbox, config, path="/oauth/token")
        arrived = time.monotonic()
        reader.interrupt(signal.SIGTERM, times)
        status, err = reader.end()
    finally:
        sandbox.faults_clear()
    assert (status, "Traceback" in err) == (143, False), err
    assert 0.9 < time.monotonic() - arrived < 2.5
    stored = json.loads(Path(config["token_store"]).read_text())
    assert stored["refresh_token"] != config["refresh_token"]
    stats = sandbox.stats(client_id)
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (1, 0)


def test_a_signal_ends_the_waiting_of_all_threads_at_once(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    sandbox.faults("rate_limit", client_id=config["client_id"], path="users/me", retry_after=60)
    reader = Reader(config)
    try:
        wait_for(sandbox, config, status="429")
        began = time.monotonic()
        reader.interrupt(signal.SIGINT)
        status, err = reader.end()
    finally:
        sandbox.faults_clear()
    assert (status, "Traceback" in err) == (130, False), err
    assert time.monotonic() - began < 1


def test_a_refresh_that_does_not_succeed_is_not_tried_again_after_the_end(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    sandbox.faults(
        "status", client_id=config["client_id"], path="*/oauth/token", status=503, retry_after=15
    )
    reader = Reader(config)
    try:
        wait_for(sandbox, config, status="503")
        began = time.monotonic()
        reader.interrupt(signal.SIGTERM)
        status, err = reader.end()
    finally:
        sandbox.faults_clear()
    assert (status, "Traceback" in err) == (143, False), err
    assert time.monotonic() - began < 1
    assert sandbox.stats(config["client_id"])["requests"] == 1
