"""A receiver on the loopback device, in a thread of the test or in a process of its own."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import requests

from freshbooks_sandbox.webhooks.signature import sign
from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore
from tap_freshbooks.webhooks.server.asgi import create_app
from tap_freshbooks.webhooks.server.http_server import HttpServer, listen
from tap_freshbooks.webhooks.server.maintenance import ReceiverMaintenance
from tap_freshbooks.webhooks.server.metrics import Metrics
from tests.support import unmeasured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
    from tap_freshbooks.webhooks.inbox import Inbox

SECRET = "tR7vQ2mXk9LbZ4cWn8HdYp3sJfG6uAe1Vo"
ACCOUNT = "Qx7Lm2"
TAP = [sys.executable, "-m", "tap_freshbooks"]


def event_fields(name: str = "invoice.create", object_id: int | str = 904417) -> dict[str, str]:
    """The fields of a delivery."""
    return {
        "name": name,
        "object_id": str(object_id),
        "account_id": ACCOUNT,
        "business_id": "7712034",
        "identity_id": "5120883",
        "user_id": "1",
    }


def signed(fields: Mapping[str, str], secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a delivery, as FreshBooks makes them."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-FreshBooks-Hmac-SHA256": sign(secret, fields),
    }
    return urlencode(fields).encode(), headers


def add_verified_callback(
    inbox: Inbox, base_url: str = "http://127.0.0.1", secret: str = SECRET
) -> Callback:
    """Store a callback whose verifier FreshBooks has taken back."""
    store = CallbackStore(inbox)
    callback = store.add(ACCOUNT, "invoice", base_url)
    store.add_verifier(callback.path, secret, 2417)
    store.accept_verifier(store.pending_verifiers()[0])
    return callback


class ReceiverThread:
    """A receiver in a thread.

    Args:
        inbox: Where events are stored.
        manager: Gives verifiers back; without one they stay pending.
        port: Where to listen; 0 for a free one.
    """

    def __init__(self, inbox: Inbox, manager: CallbackManager | None = None, port: int = 0) -> None:
        self.port = port
        self.inbox = inbox
        self.metrics = Metrics()
        confirm = manager.confirm_pending if manager else None
        self.maintenance = ReceiverMaintenance(
            inbox, self.metrics, retention=86_400, confirm=confirm
        )
        self.app = create_app(inbox, self.metrics, self.maintenance)
        self.session = requests.Session()

    def __enter__(self) -> Self:
        sock = listen("127.0.0.1", self.port)
        self.port = sock.getsockname()[1]
        self.url = "http://{}:{}".format(*sock.getsockname()[:2])
        ready = threading.Event()

        class Server(HttpServer):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                ready.set()

        self._server = Server(self.app)
        self._thread = threading.Thread(target=self._server.run, args=([sock],))
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.session.close()

    def connect(self) -> socket.socket:
        """A connection of its own."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=9)

    def post(self, path: str, fields: Mapping[str, str], secret: str = SECRET) -> int:
        """Send a delivery; returns the status of the answer."""
        body, headers = signed(fields, secret)
        return self.session.post(f"{self.url}/{path}", body, headers=headers).status_code

    def count(self, outcome: str) -> float:
        """Deliveries with an outcome, as Prometheus reads them."""
        text = self.session.get(f"{self.url}/metrics").text
        found = re.search(rf'deliveries_total{{outcome="{outcome}"}} (\S+)', text)
        return float(found[1]) if found else 0.0


class ReceiverProcess:
    """`tap-freshbooks webhooks serve` as a user starts it, on a free port."""

    def __init__(self, config: Mapping[str, Any], folder: Path, port: int = 0) -> None:
        self.config_file = folder / "receiver.json"
        self.config_file.write_text(json.dumps(dict(config)))
        self.log = folder / "receiver.log"
        with self.log.open("a") as log:
            start = log.tell()
            self.process = subprocess.Popen(
                [*TAP, "webhooks", "serve", "--config", str(self.config_file), "--port", str(port)],
                stderr=log,
                env=unmeasured(),
            )
        while not (found := re.search(r"http://\S+?:(\d+)", self.log.read_text()[start:])):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        self.url = found[0]
        self.port = int(found[1])
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        while True:
            try:
                if requests.get(f"{self.url}/readyz", timeout=10).ok:
                    return
            except requests.ConnectionError:
                assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)
