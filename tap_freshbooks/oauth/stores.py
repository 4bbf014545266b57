"""Where token pairs live, and which place a configuration means.

A store is locked while a token is spent, proves that it can be written before that, and
replaces its content at once and durably. The file store keeps the pair in a JSON object
of its own or in the `--config` file itself, whose other keys it leaves alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from tap_freshbooks.errors import SettingsError, TokenStoreError
from tap_freshbooks.oauth.tokens import TokenPair, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK_TIMEOUT = 180
"""Seconds to wait for another process that is refreshing; a refresh takes 150 at the worst."""

MODE = 0o600


class FileStore:
    """A token pair in a JSON file; its lock is `FILE.lock`.

    Args:
        path: The file; a symbolic link is followed, so that it stays one.
        holds_seed: Whether the file is also where the user configures the refresh token
            (the `--config` file): then its own `refresh_token` is the newest word, and
            the seed is the hash of the one that we wrote there.
    """

    def __init__(self, path: Path, *, holds_seed: bool = False) -> None:
        self.path = path.expanduser().resolve()
        self.holds_seed = holds_seed
        self._lock = FileLock(f"{self.path}.lock", timeout=LOCK_TIMEOUT, mode=MODE)

    def __str__(self) -> str:
        """The path, as messages show the store."""
        return str(self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store against all other threads and processes.

        Raises:
            TokenStoreError: If it cannot be locked, or not within `LOCK_TIMEOUT` seconds.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise TokenStoreError(
                f"the token store {self} has been locked by another process for "
                f"{LOCK_TIMEOUT} seconds; end that process, then run again"
            ) from None
        except OSError as error:
            raise TokenStoreError(f"the token store {self} cannot be locked: {error}") from None
        try:
            yield
        finally:
            self._lock.release()

    def read(self) -> TokenPair | None:
        """The stored pair, None if there is none.

        Raises:
            TokenStoreError: If the file is there but is no JSON object or cannot be read.
        """
        content = self._content()
        refresh_token = content.get("refresh_token")
        if not isinstance(refresh_token, str) or not refresh_token:
            return None
        seed = content.get("token_seed")
        if self.holds_seed and seed != seed_of(refresh_token):
            return TokenPair(refresh_token, seed=seed_of(refresh_token))  # put there by the user
        try:
            return TokenPair(
                refresh_token,
                access_token=content.get("access_token"),
                expires_at=float(content.get("expires_at") or 0),
                generation=int(content.get("token_generation") or 0),
                seed=seed,
            )
        except (TypeError, ValueError):
            return TokenPair(refresh_token, seed=seed)  # edited by hand: only this can be used

    @contextlib.contextmanager
    def prepared(self) -> Iterator[PreparedWrite]:
        """Prove, before a token is spent, that the next pair can be stored.

        The new file is made and filled beside the old one; committing only puts the
        tokens in and renames it. Without a commit nothing remains of it.

        Raises:
            TokenStoreError: If the store cannot be written.
        """
        try:
            if self.path.exists() and not self.path.stat().st_mode & stat.S_IWUSR:
                raise PermissionError("the file is read-only")
            write = PreparedWrite(self)
        except OSError as error:
            raise TokenStoreError(
                f"the token store {self} cannot be written ({error.strerror or error}), so no "
                "refresh token was spent; make it writable or set token_store to another place"
            ) from None
        try:
            yield write
        finally:
            write.discard()

    def _content(self) -> dict[str, Any]:
        return _read_object(self.path)[0] if self.path.exists() else {}


class PreparedWrite:
    """A new version of a token file, waiting for its tokens."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.content, self.layout = (
            _read_object(store.path) if store.path.exists() else ({}, _Layout())
        )
        # One name for all, safe under the lock: what a killed process left is used again.
        self.path = store.path.with_name(f".{store.path.name}.new")
        self._fd = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, MODE)
        try:
            os.fchmod(self._fd, MODE)
            if store.path.exists():
                owner = store.path.stat()
                with contextlib.suppress(PermissionError):
                    os.fchown(self._fd, owner.st_uid, owner.st_gid)
            # Room for the tokens, so that a full disk shows now.
            self._write(self.layout.encode(self.content) + b" " * 8192)
        except OSError:
            self.discard()
            raise

    def commit(self, pair: TokenPair) -> None:
        """Make the pair the store's content, durably.

        Raises:
            TokenStoreError: If that fails; the old content is then still in place.
        """
        seed = seed_of(pair.refresh_token) if self.store.holds_seed else pair.seed
        if self.store.path.exists():  # the user may have edited other keys meanwhile
            with contextlib.suppress(TokenStoreError):
                self.content, self.layout = _read_object(self.store.path)
        self.content |= {
            "refresh_token": pair.refresh_token,
            "access_token": pair.access_token,
            "expires_at": int(pair.expires_at),
            "token_generation": pair.generation,
            "token_seed": seed,
        }
        try:
            self._write(self.layout.encode(self.content))
            self.path.replace(self.store.path)
            _sync_folder(self.store.path.parent)
        except OSError as error:
            raise TokenStoreError(
                f"the new tokens could not be written to {self.store}: {error}"
            ) from None

    def discard(self) -> None:
        """Close, and remove what was not committed."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _write(self, data: bytes) -> None:
        os.lseek(self._fd, 0, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        os.ftruncate(self._fd, len(data))
        os.fsync(self._fd)


class _Layout:
    """How a JSON file is written: its indentation, its line ends, its last line."""

    def __init__(self, text: str = "{\n  \n}\n") -> None:
        indented = re.search(r"\n([ \t]+)", text)
        self.indent = indented[1] if indented else None
        self.end = "\n" if text.endswith("\n") else ""
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def encode(self, content: Mapping[str, Any]) -> bytes:
        text = json.dumps(content, indent=self.indent, ensure_ascii=False) + self.end
        # A lone surrogate cannot be UTF-8; escaped it stays what it is.
        return text.replace("\n", self.newline).encode(errors="backslashreplace")


def _read_object(path: Path) -> tuple[dict[str, Any], _Layout]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = json.loads(text)
    except OSError as error:
        raise TokenStoreError(
            f"the token store {path} cannot be read: {error.strerror or error}"
        ) from None
    except (ValueError, RecursionError):
        raise TokenStoreError(
            f"the token store {path} is not valid JSON; mend it, or remove it and connect again"
        ) from None
    if not isinstance(content, dict):
        raise TokenStoreError(f"the token store {path} does not hold a JSON object")
    return content, _Layout(text)


def _sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable."""
    if os.name == "nt":  # Windows cannot open folders; its rename needs no second step
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def store_for(
    config: Mapping[str, Any], token_file: Path | None, environ: Mapping[str, str]
) -> FileStore:
    """Find the token store that a configuration means.

    `token_store`, else below Meltano's system directory (Meltano deletes its `--config`
    file after each run), else the one `--config` file that holds the refresh token, else
    the user's state directory.

    Args:
        config: The settings.
        token_file: The one `--config` file that holds the refresh token, if there is one.
        environ: The environment.
    """
    if place := config.get("token_store"):
        if "://" in place:
            raise SettingsError(
                "the setting token_store must be a file path; databases are not supported yet"
            )
        if config.get("connection", "default") != "default":
            # Each would take the other's tokens for those of a user who has authorised anew.
            raise SettingsError(
                "a file of token_store holds one connection: leave out either token_store or "
                "connection, or give each connection a file of its own and leave out connection"
            )
        return FileStore(_path(place))
    if root := environ.get("MELTANO_PROJECT_ROOT"):
        system = Path(root, environ.get("MELTANO_SYS_DIR_ROOT") or ".meltano")
        return FileStore(system / "tap-freshbooks" / _file_name(config))
    if token_file is not None:
        return FileStore(token_file, holds_seed=True)
    return FileStore(user_state_path("tap-freshbooks") / _file_name(config))


def _path(place: str) -> Path:
    try:
        return Path(place).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise SettingsError(f"the setting token_store is not a usable path: {place!r}") from None


def _file_name(config: Mapping[str, Any]) -> str:
    """One file per app and connection: two of them must never share a token."""
    app = hashlib.sha256(str(config.get("client_id")).encode()).hexdigest()[:12]
    return f"{quote(str(config.get('connection') or 'default'), safe='')}-{app}.json"
