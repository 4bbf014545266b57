"""Where a new pair goes when its store fails after the old token was spent.

A rescue file is the last resort: private, in another writable place, and adopted by the next run
whose store still holds the token that was spent for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_state_path

from tap_freshbooks.oauth.json_file import MODE
from tap_freshbooks.oauth.records import decode, encode
from tap_freshbooks.oauth.tokens import TokenPair, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.oauth.encryption import Encryption


def places() -> Iterator[Path]:
    """Folders that may be writable when the store is not, the most private one first."""
    yield user_state_path("tap-freshbooks")
    with contextlib.suppress(RuntimeError):  # there is no home
        yield Path.home()
    yield Path(tempfile.gettempdir())
    with contextlib.suppress(FileNotFoundError):
        yield Path.cwd()


class Rescue:
    """The rescue files of one connection.

    Args:
        connection: What tells it from all others: its store, app and name.
        encryption: How tokens are kept in the store, and here.
    """

    def __init__(self, connection: str, encryption: Encryption) -> None:
        digest = hashlib.sha256(connection.encode()).hexdigest()[:16]
        self.name = f"tap-freshbooks-rescue-{digest}.json"
        self.encryption = encryption

    def save(self, pair: TokenPair, spent: str | None) -> Path:
        """Write a pair where it can be written.

        Args:
            pair: The new pair.
            spent: The refresh token whose place it takes, None if there was no connection.

        Returns:
            The path.

        Raises:
            OSError: If no place is writable.
        """
        content = {"follows": seed_of(spent or ""), **encode(pair, self.encryption)}
        failure = OSError("no place is writable")
        for folder in places():
            path = folder / self.name
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE), "w") as f:
                    json.dump(content, f, indent=2)
                    f.flush()
                    os.fsync(f.fileno())
            except OSError as error:
                failure = error
            else:
                return path
        raise failure

    def find(self, spent: str | None) -> TokenPair | None:
        """The rescued pair that was stored for the next after a token, None if there is none.

        Args:
            spent: That refresh token; None if there is no connection yet.

        Raises:
            SettingsError: If no key opens it.
        """
        follows = seed_of(spent or "")
        for path in self._paths():
            content = _own(path)
            if content is not None and content.get("follows") == follows:
                return decode(content, self.encryption, str(path))
        return None

    def discard(self) -> None:
        """Remove the rescue files: their pairs are stored, or dead."""
        for path in self._paths():
            with contextlib.suppress(OSError):
                path.unlink()

    def _paths(self) -> list[Path]:
        return [path for folder in places() if (path := folder / self.name).is_file()]


def _own(path: Path) -> dict[str, Any] | None:
    """The content of a file that is ours alone; in a shared folder anybody can put one."""
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if os.name != "nt" and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
                return None
            content = json.load(file)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
