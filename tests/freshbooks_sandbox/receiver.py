"""A receiver of webhooks on the loopback device."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from types import TracebackType


@dataclass
class Message:
    """One POST as it came in."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body, keep_blank_values=True))

    @property
    def name(self) -> str:
        return self.fields["name"]

    def is_signed_by(self, verifier: str) -> bool:
        text = json.dumps(self.fields).encode()
        digest = hmac.new(verifier.encode(), text, hashlib.sha256).digest()
        return self.headers.get("x-freshbooks-hmac-sha256") == base64.b64encode(digest).decode()


class Receiver:
    """Keeps what it is sent; answers `answers` in turn and then 200, after `seconds`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: list[int] = []
        self.seconds = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.messages.append(Message(self.path, headers, body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                time.sleep(receiver.seconds)
                self.send_response(status)
                if status // 100 == 3:
                    self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_args: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=freshbooks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def names(self) -> list[str]:
        return [message.name for message in self.messages]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
