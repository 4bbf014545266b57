from __future__ import annotations

import json
import multiprocessing
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from tap_freshbooks.errors import SettingsError, TokenStoreError
from tap_freshbooks.oauth import stores
from tap_freshbooks.oauth.stores import FileStore, store_for
from tap_freshbooks.oauth.tokens import TokenPair, seed_of

PAIR = TokenPair("refresh-2", "access-2", expires_at=1_800_000_000.0, generation=3, seed="seed")


def write(store: FileStore, pair: TokenPair) -> None:
    with store.locked(), store.prepared() as prepared:
        prepared.commit(pair)


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
    store = FileStore(path)
    with store.locked(), store.prepared():
        pass
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
    store = FileStore(path, holds_seed=True)
    with store.locked(), store.prepared() as prepared:
        path.write_text('{"refresh_token": "refresh-1", "start_date": "2024-01-01"}')
        prepared.commit(PAIR)
    content = json.loads(path.read_text())
    assert (content["start_date"], content["refresh_token"]) == ("2024-01-01", "refresh-2")


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

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    write(FileStore(tmp_path / "tokens.json"), PAIR)
    assert steps == ["fsync file", "fsync file", "replace", "fsync folder"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("{}")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    write(FileStore(link), PAIR)
    assert link.is_symlink()
    assert json.loads(real.read_text())["refresh_token"] == "refresh-2"


def test_a_read_only_file_is_found_before_anything_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"refresh_token": "refresh-1"}')
    path.chmod(0o400)
    store = FileStore(path)
    with (
        pytest.raises(TokenStoreError, match=r"cannot be written \(the file is read-only\)"),
        store.prepared(),
    ):
        pytest.fail("a token would have been spent")


def test_a_full_disk_is_found_before_anything_is_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    store = FileStore(tmp_path / "tokens.json")
    with pytest.raises(TokenStoreError, match="No space left"), store.prepared():
        pytest.fail("a token would have been spent")
    assert list(tmp_path.iterdir()) == []


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
    assert store.read() == TokenPair("pasted", seed=seed_of("pasted"))


def test_keys_that_were_damaged_by_hand_leave_the_refresh_token_usable(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text('{"refresh_token": "refresh-1", "access_token": "a", "expires_at": "soon"}')
    assert FileStore(path).read() == TokenPair("refresh-1")


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
    monkeypatch.setattr(stores, "LOCK_TIMEOUT", 0.1)
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


class TestWhichStore:
    def test_the_setting_wins(self, tmp_path: Path) -> None:
        config = {"token_store": str(tmp_path / "mine.json"), "refresh_token": "r"}
        store = store_for(config, None, {"MELTANO_PROJECT_ROOT": "/project"})
        assert store.path == tmp_path / "mine.json"

    def test_under_meltano_it_is_below_the_system_directory(self, tmp_path: Path) -> None:
        config = {"client_id": "app", "refresh_token": "r"}
        file = tmp_path / "config.json"
        file.write_text('{"refresh_token": "r"}')
        environ = {"MELTANO_PROJECT_ROOT": str(tmp_path)}
        store = store_for(config, file, environ)
        assert store.path.parent == tmp_path / ".meltano" / "tap-freshbooks"
        elsewhere = store_for(config, file, {**environ, "MELTANO_SYS_DIR_ROOT": "/elsewhere"})
        assert elsewhere.path.parent == Path("/elsewhere/tap-freshbooks")

    def test_two_connections_and_two_apps_never_share_a_file(self, tmp_path: Path) -> None:
        environ = {"MELTANO_PROJECT_ROOT": str(tmp_path)}
        configs = [
            {"client_id": "a"},
            {"client_id": "b"},
            {"client_id": "a", "connection": "../x"},
            {"client_id": "a", "connection": "y"},
        ]
        paths = {store_for(config, None, environ).path for config in configs}
        assert len(paths) == 4
        assert {path.parent for path in paths} == {tmp_path / ".meltano" / "tap-freshbooks"}

    def test_the_one_config_file_with_the_token_is_the_store(self, tmp_path: Path) -> None:
        file = tmp_path / "config.json"
        file.write_text('{"refresh_token": "r"}')
        store = store_for({"refresh_token": "r"}, file, {})
        assert store.path == file
        assert store.holds_seed

    def test_else_it_is_the_state_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stores, "user_state_path", lambda name: tmp_path / name)
        store = store_for({"refresh_token": "r"}, None, {})
        assert store.path.parent == tmp_path / "tap-freshbooks"

    def test_a_file_holds_one_connection(self, tmp_path: Path) -> None:
        config = {"token_store": str(tmp_path / "tokens.json"), "connection": "second"}
        with pytest.raises(SettingsError, match="holds one connection"):
            store_for(config, None, {})

    def test_a_path_that_is_none_is_refused(self) -> None:
        with pytest.raises(SettingsError, match="not a usable path"):
            store_for({"token_store": "~nosuchuser/tokens.json"}, None, {})

    def test_a_database_is_refused_with_a_sentence(self) -> None:
        with pytest.raises(SettingsError, match="must be a file path"):
            store_for({"token_store": "sqlite:///tokens.db"}, None, {})
