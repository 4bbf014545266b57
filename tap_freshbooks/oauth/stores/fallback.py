"""Rescue files: where a new pair goes when its store fails after the old token was spent.

A rescue file is the last resort: private, in another writable folder, and recovered by the next run
whose store still holds the token that was spent for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_state_path

from tap_freshbooks.input_files import open_at_once
from tap_freshbooks.oauth.stores.serialization import decode, encode
from tap_freshbooks.oauth.tokens import hash_of
from tap_freshbooks.storage.json_file import sync_folder
from tap_freshbooks.storage.ownership import MODE, NEW_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_freshbooks.oauth.stores.encryption import Encryption
    from tap_freshbooks.oauth.tokens import TokenPair


def fallback_folders() -> Iterator[Path]:
    """Folders that may be writable when the store is not, the most private one first.

    A machine may lack each of them, and needs none while its store works.
    """
    candidates: tuple[Callable[[], Path | str], ...] = (
        lambda: user_state_path("tap-freshbooks"),
        Path.home,
        tempfile.gettempdir,
        Path.cwd,
    )
    for candidate in candidates:
        with contextlib.suppress(OSError, RuntimeError):
            folder = Path(candidate())
            if folder.is_absolute():  # without a home, it could be a folder named ~
                yield folder


class FallbackStore:
    """The rescue files of one connection, one for each token whose successor had no place.

    Args:
        identity: Distinguishes the connection from all others.
        encryption: How tokens are kept in the store, and here.
    """

    def __init__(self, identity: str, encryption: Encryption) -> None:
        self.prefix = f"tap-freshbooks-rescue-{hash_of(identity)[:16]}-"
        self.encryption = encryption

    def save(self, pair: TokenPair, spent: str) -> Path:
        """Write a pair into the first folder that can be written.

        Args:
            pair: The new pair.
            spent: The refresh token whose place it takes, empty if there was no connection.

        Returns:
            The path.

        Raises:
            OSError: If no place is writable.
        """
        content = json.dumps(encode(pair, self.encryption), indent=2).encode()
        failure = OSError("no place is writable")
        for folder in fallback_folders():
            path = folder / self._name(spent)
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                with os.fdopen(os.open(path, NEW_FILE, MODE), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                sync_folder(folder)
            except OSError as error:
                failure = error
            else:
                return path
        raise failure

    def find(self, spent: str) -> tuple[Path, TokenPair] | None:
        """The rescued pair that was to take the place of this refresh token, and where it is.

        Raises:
            SettingsError: If no key decrypts it.
        """
        return next(self._found(self._name(spent)), None)

    def latest(self, seed: str | None) -> tuple[Path, TokenPair] | None:
        """The newest rescued pair of this seed, for a store that was removed.

        Args:
            seed: Hash of the configured refresh token; None if there is none: any pair then.

        Raises:
            SettingsError: If no key decrypts it.
        """
        found = [each for each in self._found("*") if seed in (None, each[1].seed)]
        return max(found, key=lambda each: each[1].refreshed_at or 0, default=None)

    def discard(self) -> None:
        """Remove all rescue files of the connection: after a new consent their pairs are dead."""
        for path in self._paths("*"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _name(self, spent: str) -> str:
        return f"{self.prefix}{hash_of(spent)[:16]}.json"

    def _paths(self, name: str) -> list[Path]:
        pattern = self.prefix + "*.json" if name == "*" else name
        found: list[Path] = []
        for folder in fallback_folders():
            with contextlib.suppress(OSError):
                found += folder.glob(pattern)
        return found

    def _found(self, name: str) -> Iterator[tuple[Path, TokenPair]]:
        for path in self._paths(name):
            if pair := decode(_own_content(path), self.encryption, str(path)):
                yield path, pair


def _own_content(path: Path) -> dict[str, Any]:
    """The content of a file if only this user can have written it: the folder may be shared."""
    try:
        with open_at_once(path) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return {}
            if os.name != "nt" and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
                return {}
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
