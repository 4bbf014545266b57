from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import re
import stat
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tap_freshbooks.errors import TokenStoreError
from tap_freshbooks.oauth.stores import base
from tap_freshbooks.oauth.stores.base import StoreConflictError
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.tokens import TokenPair, hash_of

PAIR = TokenPair("refresh-2", "access-2", expires_at=1_800_000_000.0, generation=3, seed="seed")


def write(store: FileStore, pair: TokenPair) -> None:
    with store.locked() as locked:
        locked.read()
        locked.check_writable(None)
        locked.write(pair)


def test_a_pair_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "tokens.json")
    assert store.read() is None
    write(store, PAIR)
    assert store.read() == PAIR
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_other_keys_their_order_and_the_indentation_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        '{\n    "client_id": "app",\n    "refresh_token": "refresh-1",\n    "größe": [1]\n}'
    )
    write(FileStore(path, holds_seed=True), PAIR)
    text = path.read_text()
    assert text.startswith('{\n    "client_id": "app",\n    "refresh_token": "refresh-2",\n')
    assert not text.endswith("\n")
    assert list(json.loads(text))[:3] == ["client_id", "refresh_token", "größe"]
    assert "größe" in text


def test_a_file_of_one_line_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}\n')
    write(FileStore(path), PAIR)
    assert path.read_text().count("\n") == 1


def test_without_a_commit_nothing_changes_and_nothing_remains(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    with FileStore(path).locked() as locked:
        locked.check_writable(None)
    assert path.read_text() == '{"refresh_token": "refresh-1"}'
    assert {file.name for file in tmp_path.iterdir()} <= {"config.json", "config.json.lock"}


def test_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'\xef\xbb\xbf{\r\n  "refresh_token": "refresh-1"\r\n}\r\n')
    write(FileStore(path, holds_seed=True), PAIR)
    data = path.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") > 3
    assert json.loads(data)["refresh_token"] == "refresh-2"


def test_an_edit_of_other_keys_during_a_refresh_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1", "start_date": "2020-01-01"}')
    with FileStore(path, holds_seed=True).locked() as locked:
        locked.check_writable(locked.read())
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "start_date": "2024-01-01"}))
        locked.write(PAIR)
    content = json.loads(path.read_text())
    assert (content["start_date"], content["refresh_token"]) == ("2024-01-01", "refresh-2")


def test_a_token_that_the_user_puts_there_during_a_refresh_is_not_overwritten(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    store = FileStore(path, holds_seed=True)
    with store.locked() as locked:
        locked.check_writable(locked.read())
        path.write_text('{"refresh_token": "pasted"}')
        with pytest.raises(StoreConflictError):
            locked.write(PAIR)
    assert store.read() == TokenPair("pasted", seed=hash_of("pasted"))


def test_a_file_that_vanishes_during_a_refresh_is_made_anew_with_all_its_keys(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"client_id": "app", "refresh_token": "refresh-1"}')
    with FileStore(path, holds_seed=True).locked() as locked:
        locked.check_writable(locked.read())
        path.unlink()
        locked.write(PAIR)
    content = json.loads(path.read_text())
    assert (content["client_id"], content["refresh_token"]) == ("app", "refresh-2")


def test_forgetting_leaves_other_keys_and_no_empty_file(tmp_path: Path) -> None:
    config, tokens = tmp_path / "config.json", tmp_path / "tokens.json"
    config.write_text('{"client_id": "app", "refresh_token": "refresh-1", "business_ids": [1]}')
    for path in (config, tokens):
        store = FileStore(path)
        write(store, PAIR)
        with store.locked() as locked:
            locked.forget()
    assert json.loads(config.read_text()) == {"client_id": "app", "business_ids": [1]}
    assert not tokens.exists()


def test_the_new_version_is_on_disk_before_it_takes_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(fd: int) -> None:
        steps.append("fsync folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "fsync file")
        fsync(fd)

    def spy_replace(source: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(source, target)

    with FileStore(tmp_path / "tokens.json").locked() as locked:
        locked.check_writable(locked.read())
        monkeypatch.setattr(os, "fsync", spy_fsync)
        monkeypatch.setattr(Path, "replace", spy_replace)
        locked.write(PAIR)
    assert steps == ["fsync file", "replace", "fsync folder"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("{}")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    write(FileStore(link), PAIR)
    assert link.is_symlink()
    assert json.loads(real.read_text())["refresh_token"] == "refresh-2"


def test_a_chain_of_symbolic_links_is_followed(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "config.json").write_text('{"refresh_token": "refresh-1"}')
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "config.json").symlink_to("..data/config.json")  # as Kubernetes mounts secrets
    write(FileStore(tmp_path / "config.json", holds_seed=True), PAIR)
    assert (
        FileStore(tmp_path / "..2026" / "config.json").read()
        == FileStore(tmp_path / "config.json").read()
    )
    assert (tmp_path / "config.json").readlink() == Path("..data/config.json")


@pytest.mark.parametrize("name", ["config.json", "hard.json"])
def test_a_file_with_several_names_is_refused_before_anything_is_spent(
    tmp_path: Path, name: str
) -> None:
    tmp_path = tmp_path / "it's here"
    tmp_path.mkdir()
    path, other = tmp_path / "config.json", tmp_path / "hard.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    other.hardlink_to(path)
    store = FileStore(tmp_path / name, holds_seed=True)
    assert store.read() == TokenPair("refresh-1", seed=hash_of("refresh-1"))
    with store.locked() as locked:
        pair = locked.read()
        with pytest.raises(TokenStoreError, match=r"2 names \(hard links\)") as caught:
            locked.check_writable(pair)
    assert path.read_text() == other.read_text() == '{"refresh_token": "refresh-1"}'
    [command] = re.findall("`(.+?)`", str(caught.value))
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - what a user is told to do
    write(store, PAIR)
    assert store.read() == replace(PAIR, seed=hash_of(PAIR.refresh_token))
    assert {each.stat().st_nlink for each in (path, other)} == {1}
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        ["config.json", "hard.json", f"{name}.lock"]
    )


def test_a_file_that_is_mounted_by_itself_is_told_before_anything_is_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_source: Path, _target: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    store = FileStore(tmp_path / "config.json")
    monkeypatch.setattr(Path, "replace", busy)
    with (
        store.locked() as locked,
        pytest.raises(TokenStoreError, match="mounted by itself cannot be replaced, mount its fol"),
    ):
        locked.check_writable(PAIR)


def test_a_read_only_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')

    def refuse(name: object, *_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(name))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(TokenStoreError, match=r"\(Read-only file system: .*set token_store to"):
            FileStore(path).locked().__enter__()
    assert FileStore(path).read() == TokenPair("refresh-1")


@pytest.mark.parametrize("problem", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_cannot_sync_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def refuse(_fd: int) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(os, "fsync", refuse)
    write(FileStore(tmp_path / "tokens.json"), PAIR)
    assert FileStore(tmp_path / "tokens.json").read() == PAIR


def test_a_disk_that_fails_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(TokenStoreError, match=r"cannot be written .*Input/output error"):
        write(FileStore(tmp_path / "tokens.json"), PAIR)


@pytest.mark.parametrize("problem", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_that_cannot_lock_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def refuse(_fd: int, _operation: int) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(TokenStoreError, match=r"cannot be locked .* set token_store to another"):
        write(FileStore(tmp_path / "tokens.json"), PAIR)


def test_a_read_only_file_is_found_before_anything_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    path.chmod(0o400)
    with (
        FileStore(path).locked() as locked,
        pytest.raises(TokenStoreError, match=r"cannot be written \(the file is read-only\)"),
    ):
        locked.check_writable(PAIR)


def test_a_full_disk_is_found_before_anything_is_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    with FileStore(tmp_path / "tokens.json").locked() as locked:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(TokenStoreError, match="No space left"):
            locked.check_writable(PAIR)
        monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.json.lock"]


@pytest.mark.parametrize("content", ["{not json", "[]", '"text"'])
def test_a_damaged_file_is_an_error_and_stays_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    store = FileStore(path)
    with pytest.raises(TokenStoreError, match=str(path)):
        store.read()
    assert path.read_text() == content


def test_a_token_put_into_the_config_file_by_hand_is_a_new_seed(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    store = FileStore(path, holds_seed=True)
    write(store, PAIR)
    ours = store.read()
    assert ours is not None
    assert ours.access_token == "access-2"

    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "refresh_token": "pasted"}))
    assert store.read() == TokenPair("pasted", seed=hash_of("pasted"))


def test_keys_that_were_damaged_by_hand_leave_the_refresh_token_usable(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text('{"refresh_token": "refresh-1", "access_token": "a", "expires_at": "soon"}')
    assert FileStore(path).read() == TokenPair("refresh-1", access_token="a")


def test_a_pair_never_shows_its_secrets() -> None:
    assert "refresh-2" not in f"{PAIR!r} {PAIR}"
    assert "access-2" not in f"{PAIR!r} {PAIR}"


def _hold(path: Path, held: threading.Event, release: threading.Event) -> None:
    with FileStore(path).locked():
        held.set()
        release.wait(30)


def test_the_lock_holds_against_other_processes_and_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 0.1)
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    path = tmp_path / "tokens.json"
    holder = context.Process(target=_hold, args=(path, held, release))
    holder.start()
    try:
        assert held.wait(30)
        with pytest.raises(TokenStoreError, match="locked by another process"):
            FileStore(path).locked().__enter__()
    finally:
        release.set()
        holder.join(30)
    with FileStore(path).locked():
        pass


def test_the_lock_holds_against_other_threads(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens.json")
    inside: list[int] = []

    def work() -> None:
        with store.locked():
            inside.append(1)
            time.sleep(0.005)
            assert inside.pop() == 1
            assert not inside

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside
