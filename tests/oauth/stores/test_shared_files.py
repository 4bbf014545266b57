"""Stores whose files several users share: what works, and what is told before a token is spent."""

from __future__ import annotations

import contextlib
import encodings.utf_8_sig  # noqa: F401 - others may not be able to read Python's own modules
import errno
import os
import sqlite3
import stat
import struct
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import TokenStoreError
from tap_freshbooks.oauth.stores import base
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.tokens import TokenPair
from tap_freshbooks.storage.ownership import explain
from tap_freshbooks.webhooks.connections import InboxError
from tap_freshbooks.webhooks.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.oauth.stores.base import TokenStore

pytestmark = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="needs root, to act as several users"
)

ROOT, ALICE, BOB, TEAM = 0, 54321, 54322, 54400
"""Users and a group that this machine has no names for."""

PAIR = TokenPair("refresh-1", access_token="access-1")
NEXT = TokenPair("refresh-2", access_token="access-2", generation=1)

DENIED = (
    f"belongs to uid {ALICE}, and this is uid {BOB}: run this as uid {ALICE}, or give it to uid "
    f"{BOB}"
)


@contextlib.contextmanager
def being(user: int, *groups: int) -> Iterator[None]:
    """Act as another user."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(ROOT)
        os.setegid(ROOT)
        os.setgroups(before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of Alice that others may enter."""
    with tempfile.TemporaryDirectory() as name:
        outside = Path(name)
        outside.chmod(0o755)
        inside = outside / "store"
        inside.mkdir(mode=0o755)
        os.chown(inside, ALICE, ALICE)
        yield inside


def open_at(folder: Path, kind: str) -> TokenStore:
    place = folder / "tokens.json" if kind == "file" else f"sqlite:///{folder}/tokens.db"
    return open_store({"token_store": str(place), "client_id": "app"}, None, {})


def write(store: TokenStore, pair: TokenPair) -> None:
    with store.locked() as locked:
        locked.check_writable(locked.read())
        locked.read()
        locked.write(pair)


def facts(path: Path) -> tuple[int, int, str]:
    """User, group and mode of a file."""
    status = path.stat()
    return status.st_uid, status.st_gid, oct(stat.S_IMODE(status.st_mode))


KINDS = pytest.mark.parametrize("kind", ["file", "sqlite"])


@KINDS
def test_root_locks_no_user_out_of_his_store(folder: Path, kind: str) -> None:
    with being(ALICE):
        write(open_at(folder, kind), PAIR)
    write(open_at(folder, kind), NEXT)
    assert {facts(path) for path in folder.iterdir()} == {(ALICE, ALICE, "0o600")}
    with being(ALICE):
        assert open_at(folder, kind).read() == NEXT
        write(open_at(folder, kind), PAIR)


def test_root_gives_back_a_lock_file_that_it_once_made(folder: Path) -> None:
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
    os.chown(folder / "tokens.json.lock", ROOT, ROOT)
    write(open_at(folder, "file"), NEXT)
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_root_gives_away_no_file_that_a_lock_leads_to(folder: Path, link: str) -> None:
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
    secret = folder.parent / "secret"
    secret.touch(mode=0o600)
    lock = folder / "tokens.json.lock"
    lock.unlink()
    getattr(lock, link)(secret)
    with contextlib.suppress(TokenStoreError):
        write(open_at(folder, "file"), NEXT)
    assert facts(secret) == (ROOT, ROOT, "0o600")


@KINDS
def test_what_root_makes_in_the_folder_of_a_user_belongs_to_the_user(
    folder: Path, kind: str
) -> None:
    deep = folder / "deep" / "deeper"
    write(open_at(deep, kind), PAIR)
    assert {facts(path)[:2] for path in (deep, deep.parent, *deep.iterdir())} == {(ALICE, ALICE)}
    with being(ALICE):
        write(open_at(deep, kind), NEXT)
        assert open_at(deep, kind).read() == NEXT


@KINDS
def test_a_store_of_another_user_is_named_with_its_owner(folder: Path, kind: str) -> None:
    folder.chmod(0o777)
    with being(ALICE):
        write(open_at(folder, kind), PAIR)
    name = "tokens.json" if kind == "file" else "tokens.db"
    before = (folder / name).read_bytes()
    with being(BOB), pytest.raises(TokenStoreError, match="cannot be read") as caught:
        open_at(folder, kind).read()
    assert f"{folder}/{name} {DENIED}" in str(caught.value)
    with being(BOB), pytest.raises(TokenStoreError, match="cannot be locked") as caught:
        write(open_at(folder, kind), NEXT)
    assert DENIED in str(caught.value)
    assert (folder / name).read_bytes() == before


@KINDS
def test_a_store_that_others_may_read_is_read_and_not_written(folder: Path, kind: str) -> None:
    with being(ALICE):
        write(open_at(folder, kind), PAIR)
    for path in folder.iterdir():
        path.chmod(0o644)
    with being(BOB):
        assert open_at(folder, kind).read() == PAIR
        with pytest.raises(TokenStoreError, match=r"cannot be (locked|written)") as caught:
            write(open_at(folder, kind), NEXT)
    assert DENIED in str(caught.value)
    assert {facts(path)[0] for path in folder.iterdir()} == {ALICE}


def test_the_folder_of_another_user_is_named(folder: Path) -> None:
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
    (folder / "tokens.json.lock").unlink()
    (folder / "tokens.json").chmod(0o644)
    with being(BOB):
        assert open_at(folder, "file").read() == PAIR
        with pytest.raises(TokenStoreError, match="cannot be locked") as caught:
            write(open_at(folder, "file"), NEXT)
    assert f"{folder} {DENIED}" in str(caught.value) or f"{folder}/tokens.json {DENIED}" in str(
        caught.value
    )
    folder.chmod(0o700)
    with being(BOB), pytest.raises(TokenStoreError, match="cannot be read") as caught:
        open_at(folder, "file").read()
    assert f"{folder} {DENIED}" in str(caught.value)


def test_a_lock_file_of_another_user_is_named(folder: Path) -> None:
    folder.chmod(0o777)
    with being(BOB):
        write(open_at(folder, "file"), PAIR)
    lock = folder / "tokens.json.lock"
    os.chown(lock, ALICE, ALICE)
    with being(BOB), pytest.raises(TokenStoreError, match="cannot be locked") as caught:
        write(open_at(folder, "file"), NEXT)
    assert f"{lock} {DENIED}" in str(caught.value)


def test_a_file_is_not_taken_from_its_owner(folder: Path) -> None:
    folder.chmod(0o777)
    path = folder / "tokens.json"
    with being(ALICE):
        path.write_text('{"refresh_token": "refresh-1"}')
    with being(BOB):
        assert open_at(folder, "file").read() == TokenPair("refresh-1")
        with pytest.raises(TokenStoreError, match=f"it belongs to uid {ALICE}, who could not read"):
            write(open_at(folder, "file"), NEXT)
    assert [each.name for each in folder.iterdir()] == ["tokens.json"]
    with being(ALICE):
        write(open_at(folder, "file"), NEXT)
    # What root has put there for others, an image of a container say, root can always read.
    os.chown(path, ROOT, ROOT)
    path.chmod(0o644)
    (folder / "tokens.json.lock").unlink()
    with being(BOB):
        write(open_at(folder, "file"), PAIR)
        assert facts(path) == (BOB, BOB, "0o600")


@KINDS
def test_a_store_that_a_group_shares_stays_shared(folder: Path, kind: str) -> None:
    folder.chmod(0o2770)
    os.chown(folder, ALICE, TEAM)
    name = "tokens.json" if kind == "file" else "tokens.db"
    with being(ALICE, TEAM):
        write(open_at(folder, kind), PAIR)
        (folder / name).chmod(0o660)
        write(open_at(folder, kind), PAIR)  # shares its lock file, too
    with being(BOB, TEAM):
        write(open_at(folder, kind), NEXT)
    assert {facts(path)[1:] for path in folder.iterdir()} == {(TEAM, "0o660")}
    with being(ALICE, TEAM):
        assert open_at(folder, kind).read() == NEXT
        write(open_at(folder, kind), PAIR)


@KINDS
@pytest.mark.parametrize(("mode", "after"), [(0o644, "0o600"), (0o666, "0o600"), (0o640, "0o640")])
def test_what_all_others_could_read_is_closed_to_them(
    folder: Path, kind: str, mode: int, after: str
) -> None:
    with being(ALICE):
        write(open_at(folder, kind), PAIR)
        path = next(each for each in folder.iterdir() if each.suffix != ".lock")
        path.chmod(mode)
        write(open_at(folder, kind), NEXT)
    assert facts(path) == (ALICE, ALICE, after)


def test_an_access_list_is_kept(folder: Path) -> None:
    entries = [(0x01, 6, -1), (0x02, 4, BOB), (0x04, 0, -1), (0x10, 4, -1), (0x20, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, rights, who & 0xFFFFFFFF) for tag, rights, who in entries
    )
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
    try:
        os.setxattr(folder / "tokens.json", "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("no access lists here")
    with being(BOB):
        assert open_at(folder, "file").read() == PAIR
    with being(ALICE):
        write(open_at(folder, "file"), NEXT)
    with being(BOB):
        assert open_at(folder, "file").read() == NEXT


def test_what_another_user_left_half_done_is_named(folder: Path) -> None:
    folder.chmod(0o1777)
    with being(BOB):
        write(open_at(folder, "file"), PAIR)
    left = folder / ".tokens.json.new"
    left.write_text("")
    os.chown(left, ALICE, ALICE)
    left.chmod(0o600)
    with being(BOB), pytest.raises(TokenStoreError, match="cannot be written") as caught:
        write(open_at(folder, "file"), NEXT)
    assert f"File exists: {left} {DENIED}" in str(caught.value)


def test_a_folder_that_cannot_be_listed_is_good_enough(folder: Path) -> None:
    folder.chmod(0o300)
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
        assert open_at(folder, "file").read() == PAIR


def test_a_file_beside_a_database_is_named(folder: Path) -> None:
    folder.chmod(0o777)
    path = folder / "inbox.db"
    with being(ALICE), contextlib.closing(Inbox(str(path))) as inbox:
        inbox.append_gap("*", "*", "one")
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("SELECT * FROM tap_freshbooks_inbox").fetchall()
            for each in folder.iterdir():
                os.seteuid(ROOT)
                if not each.name.endswith("-wal"):
                    os.chown(each, BOB, BOB)
                os.seteuid(ALICE)
            with being_bob_inside(), pytest.raises(InboxError) as caught:
                Inbox(str(path)).append_gap("*", "*", "two")
    assert f"{path}-wal {DENIED}" in str(caught.value)


def test_a_journal_of_another_user_is_named(folder: Path) -> None:
    """What a process that was killed has left: it would have to be rolled back first."""
    folder.chmod(0o777)
    with being(BOB):
        write(open_at(folder, "sqlite"), PAIR)
    journal = folder / "tokens.db-journal"
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    os.chown(journal, ALICE, ALICE)
    journal.chmod(0o600)
    with being(BOB), pytest.raises(TokenStoreError) as caught:
        write(open_at(folder, "sqlite"), NEXT)
    assert f"{journal} {DENIED}" in str(caught.value)


@contextlib.contextmanager
def being_bob_inside() -> Iterator[None]:
    os.seteuid(ROOT)
    os.seteuid(BOB)
    try:
        yield
    finally:
        os.seteuid(ROOT)
        os.seteuid(ALICE)


def test_the_name_of_a_user_is_told(folder: Path) -> None:
    os.chown(folder, ROOT, ROOT)
    (folder / "tokens.json").write_text("{}")
    (folder / "tokens.json").chmod(0o600)
    with being(BOB), pytest.raises(TokenStoreError, match=r"belongs to root \(uid 0\), and this"):
        open_at(folder, "file").read()


def test_the_mode_of_an_own_file_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 1)
    with being(ALICE):
        write(open_at(folder, "file"), PAIR)
        (folder / "tokens.json").chmod(0)
        with pytest.raises(TokenStoreError, match=r"tokens.json is of this user, .*chmod u\+rwX"):
            open_at(folder, "file").read()


def test_a_database_in_a_read_only_file_system_is_read_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with being(ALICE):
        write(open_at(folder, "sqlite"), PAIR)
        (folder / "tokens.db").chmod(0o400)  # SQLite finds the same of a disk that is read-only
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
        assert open_at(folder, "sqlite").read() == PAIR
        with pytest.raises(TokenStoreError, match=r"tokens\.db is in a read-only file system"):
            write(open_at(folder, "sqlite"), NEXT)


def test_what_no_mode_forbids_is_not_said_to_be_forbidden_by_one(folder: Path) -> None:
    """As of a file that was made immutable."""
    file = folder / "tokens.json"
    file.touch(mode=0o600)
    error = PermissionError(errno.EPERM, "Operation not permitted")
    assert explain(error, file) == (
        f"Operation not permitted: {file} is of this user, but protected: by an attribute "
        "(lsattr), say"
    )
    file.chmod(0o400)
    assert explain(error, file).endswith("but its mode does not allow it (chmod u+rwX)")
