"""A way to the socket of PostgreSQL that can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".s.PGSQL.5432"


class SocketProxy:
    """Passes on what comes, until it is cut.

    Args:
        folder: Where its own socket lies; a short path.
        server: The folder with the socket of the server.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self.server = server
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.folder / NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def url(self) -> str:
        """The database, through this proxy."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def cut(self) -> None:
        """Break all connections; new ones are taken."""
        while self._open:
            end = self._open.pop()
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{self.server}/{NAME}")
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
