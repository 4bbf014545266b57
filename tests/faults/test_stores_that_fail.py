"""Full disks, lost permissions, hung processes, damaged files, databases that go away."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import resource
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.errors import RefreshFailedError, TokenStoreError
from tap_freshbooks.oauth import rotation
from tap_freshbooks.oauth.stores import base, sql
from tap_freshbooks.oauth.stores.fallback import FallbackStore
from tap_freshbooks.oauth.token_endpoint import TokenEndpoint
from tests.faults.account import OTHER_KEYS, Account
from tests.faults.processes import CONTEXT, PATIENCE, Process, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event

    from demo.pipeline import Postgres
    from freshbooks_sandbox import Sandbox
    from tests.faults.account import Client

NO_ROOM = 1024
"""Bytes that a file may have on a full disk: less than any store needs."""


def check_that_nothing_was_spent(account: Account, dead: str, requests: int) -> None:
    assert account.requests == requests
    assert account.is_kept()
    check_that_it_works(account, dead)


def check_that_it_works(account: Account, dead: str) -> None:
    assert account.accepts(account.new().access_token(rejected=dead))
    assert account.spent == 0


# A full disk


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def ask_on_a_full_disk(client: Client, say: Callable[[Any], None], rejected: str) -> str:
    limit_files(NO_ROOM)
    return ask(client, say, rejected)


def ask_while_the_disk_fills(
    client: Client, say: Callable[[Any], None], rejected: str, is_full_elsewhere: bool
) -> str:
    """Ask for a token; once FreshBooks has answered, there is no room left."""
    refresh, save = TokenEndpoint.refresh, FallbackStore.save

    def last_refresh(*arguments: Any) -> Any:
        fresh = refresh(*arguments)
        limit_files(NO_ROOM)
        return fresh

    def save_elsewhere(*arguments: Any) -> Path:
        if not is_full_elsewhere:
            limit_files(resource.RLIM_INFINITY)
        return save(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenEndpoint, "refresh", last_refresh)
        patch.setattr(FallbackStore, "save", save_elsewhere)
        patch.setattr(rotation, "STORE_TIMEOUT", 0.3)
        return ask(client, say, rejected)


@pytest.mark.parametrize("store", ["file", "config", "sqlite"])
def test_a_full_disk_is_found_before_a_token_is_spent(account: Account) -> None:
    dead = account.connected()
    requests = account.requests
    outcome = Process(ask_on_a_full_disk, account.client, dead).outcome()
    assert outcome.error == "TokenStoreError"
    assert "so no refresh token was spent; make it writable" in outcome.message
    check_that_nothing_was_spent(account, dead, requests)


@pytest.mark.parametrize("store", ["file", "config", "sqlite"])
def test_tokens_for_which_the_disk_has_no_room_any_more_are_rescued(account: Account) -> None:
    dead = account.connected()
    outcome = Process(ask_while_the_disk_fills, account.client, dead, False).outcome()
    assert (outcome.error, outcome.exit_status) == ("RefreshFailedError", 1)
    check_rescue(account, dead, outcome.message)


@pytest.mark.parametrize("store", ["file", "config", "sqlite"])
def test_tokens_for_which_there_is_no_room_anywhere_are_lost_with_a_word(
    account: Account,
) -> None:
    dead = account.connected()
    outcome = Process(ask_while_the_disk_fills, account.client, dead, True).outcome()
    assert (outcome.error, outcome.exit_status) == ("ReauthorizationRequiredError", 3)
    assert "stored nowhere" in outcome.message
    assert "`tap-freshbooks login`" in outcome.message
    account.authorise_anew()
    check_that_it_works(account, dead)


def check_rescue(account: Account, dead: str, message: str) -> None:
    """The pair is in a private file that the message names; the next run takes it from there."""
    [path] = account.client.rescue.iterdir()
    assert f"the new tokens were rescued to {path}. Make the store writable" in message
    assert path.stat().st_mode & 0o777 == 0o600
    assert not account.is_kept()
    requests = account.requests
    assert account.accepts(account.new().access_token(rejected=dead))
    assert account.requests == requests
    assert account.is_kept()
    assert not path.exists()
    assert account.spent == 0


# Permissions


def become_nobody() -> None:
    """Root may do everything: go on as a user who may not."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def ask_as_nobody(client: Client, say: Callable[[Any], None], rejected: str | None = None) -> str:
    become_nobody()
    return ask(client, say, rejected)


def ask_as_nobody_with_an_event(
    client: Client, say: Callable[[Any], None], rejected: str, event: Event
) -> str:
    become_nobody()
    return ask_with_an_event(client, say, rejected, event)


def ask_with_an_event(
    client: Client, say: Callable[[Any], None], rejected: str, event: Event
) -> str:
    """Ask for a token, and wait between FreshBooks' answer and the store."""
    refresh = TokenEndpoint.refresh

    def slow_refresh(*arguments: Any) -> Any:
        fresh = refresh(*arguments)
        say("answered")
        event.wait(PATIENCE)
        return fresh

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenEndpoint, "refresh", slow_refresh)
        patch.setattr(rotation, "STORE_TIMEOUT", 0.3)
        return ask(client, say, rejected)


@pytest.fixture
def nobodys(
    sandbox: Sandbox, new_account: Callable[[str], Account]
) -> Iterator[tuple[Account, Path]]:
    """A connected account of an unprivileged user, and the folder with its token file."""
    template = new_account("file")
    with tempfile.TemporaryDirectory() as name:
        outside, folder = Path(name), Path(name) / "store"
        outside.chmod(0o755)
        account = Account(sandbox, folder / "tokens.json", outside)
        account.client = replace(account.client, rescue=outside / "rescue")
        template.client = account.client
        for each in (folder, account.client.rescue):
            each.mkdir()
            if os.geteuid() == 0:
                shutil.chown(each, "nobody")
        yield account, folder
        for each in (folder, account.client.rescue):
            each.chmod(0o700)


def as_nobody(account: Account, rejected: str | None = None) -> Any:
    return Process(ask_as_nobody, account.client, rejected).outcome()


@pytest.mark.parametrize("is_locked_before", [True, False])
def test_a_folder_that_became_read_only_costs_no_token(
    nobodys: tuple[Account, Path], is_locked_before: bool
) -> None:
    account, folder = nobodys
    dead = as_nobody(account).result
    requests = account.requests
    if not is_locked_before:
        (folder / "tokens.json.lock").unlink()
    folder.chmod(0o500)
    outcome = as_nobody(account, dead)
    assert outcome.error == "TokenStoreError"
    assert f"{folder}/tokens.json" in outcome.message
    assert "set token_store to another place" in outcome.message
    assert (account.requests, account.is_kept()) == (requests, True)
    folder.chmod(0o700)
    assert account.accepts(as_nobody(account, dead).result)
    assert account.spent == 0


@pytest.mark.parametrize("name", ["tokens.json", "tokens.json.lock"])
def test_a_file_whose_permissions_were_lost_costs_no_token(
    nobodys: tuple[Account, Path], name: str
) -> None:
    account, folder = nobodys
    dead = as_nobody(account).result
    requests = account.requests
    (folder / name).chmod(0)
    outcome = as_nobody(account, dead)
    assert outcome.error == "TokenStoreError"
    assert "Permission denied" in outcome.message
    assert account.requests == requests
    (folder / name).chmod(0o600)
    assert account.accepts(as_nobody(account, dead).result)
    assert account.spent == 0


def lock_out_during_a_refresh(account: Account, dead: str, *folders: Path) -> Any:
    event = CONTEXT.Event()
    process = Process(ask_as_nobody_with_an_event, account.client, dead, event)
    assert process.hear() == "answered"
    for folder in folders:
        folder.chmod(0o500)
    event.set()
    return process.outcome()


def test_tokens_whose_folder_becomes_read_only_during_a_refresh_are_rescued(
    nobodys: tuple[Account, Path],
) -> None:
    account, folder = nobodys
    dead = as_nobody(account).result
    outcome = lock_out_during_a_refresh(account, dead, folder)
    [path] = account.client.rescue.iterdir()
    assert (outcome.error, outcome.exit_status) == ("RefreshFailedError", 1)
    assert f"the new tokens were rescued to {path}" in outcome.message
    requests = account.requests

    # As long as the store cannot be written, nothing is spent, and the rescue stays.
    assert as_nobody(account, dead).error == "TokenStoreError"
    assert (account.requests, path.exists()) == (requests, True)

    folder.chmod(0o700)
    assert account.accepts(as_nobody(account, dead).result)
    assert (account.requests, path.exists(), account.spent) == (requests, False, 0)


def test_tokens_that_may_be_written_nowhere_are_lost_with_a_word(
    nobodys: tuple[Account, Path],
) -> None:
    account, folder = nobodys
    dead = as_nobody(account).result
    outcome = lock_out_during_a_refresh(account, dead, folder, account.client.rescue)
    assert (outcome.error, outcome.exit_status) == ("ReauthorizationRequiredError", 3)
    assert "stored nowhere" in outcome.message
    folder.chmod(0o700)
    account.authorise_anew()
    assert account.accepts(as_nobody(account, dead).result)
    assert account.spent == 0


# Locks


def hold(client: Client, say: Callable[[Any], None]) -> None:
    with client.store.locked():
        say("held")
        signal.pause()


def test_a_lock_of_a_hung_process_is_waited_for_a_while_and_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = account.connected()
    requests = account.requests
    holder = Process(hold, account.client)
    assert holder.hear() == "held"
    holder.send(signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(base, "LOCK_TIMEOUT", 0.3)
        patch.setattr(sql, "SQLITE_LOCK_TIMEOUT", 0.1)
        for _ in range(2):
            with pytest.raises(
                TokenStoreError,
                match=r"has been locked by another process for 0\.3 seconds; end that process",
            ):
                account.new().access_token(rejected=dead)
    assert account.accepts(dead)
    assert account.new().access_token() == dead  # whoever needs no refresh does not wait
    holder.kill()
    check_that_nothing_was_spent(account, dead, requests)


def test_a_lock_of_a_dead_process_does_not_block(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = account.connected()
    holder = Process(hold, account.client)
    assert holder.hear() == "held"
    holder.kill()
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 5)
    check_that_it_works(account, dead)


def test_a_lock_file_that_was_left_behind_does_not_block(
    file_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_account.file.with_name("tokens.json.lock").write_text("4711\nsomewhere\n")
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 5)
    assert file_account.accepts(file_account.connected())


# Token files that were damaged or edited


@pytest.mark.parametrize("store", ["file", "config"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.97])
def test_a_truncated_token_file_is_neither_overwritten_nor_makes_anybody_spend(
    account: Account, share: float
) -> None:
    dead = account.connected()
    requests = account.requests
    whole = account.file.read_bytes()
    cut = whole[: int(len(whole) * share)]
    account.file.write_bytes(cut)
    with pytest.raises(TokenStoreError, match="is not valid JSON; mend it, or remove it"):
        account.new().access_token(rejected=dead)
    assert account.file.read_bytes() == cut
    account.file.write_bytes(whole)
    check_that_nothing_was_spent(account, dead, requests)


@pytest.mark.parametrize("store", ["file", "config"])
@pytest.mark.parametrize(
    "edit",
    [
        {"access_token": None},
        {"access_token": 5},
        {"expires_at": "soon"},
        {"expires_at": None, "token_generation": "many", "token_refreshed_at": []},
        {"token_spending": "garbage", "token_rejected": {"token": 1}},
    ],
)
def test_a_token_file_that_was_edited_by_hand_still_works(
    account: Account, edit: dict[str, Any]
) -> None:
    dead = account.connected()
    account.file.write_text(json.dumps({"note": "mine", **account.content, **edit}, indent=1))
    check_that_it_works(account, dead)
    content = account.content
    assert content["note"] == "mine"
    if account.client.holds_seed:
        assert {key: content[key] for key in OTHER_KEYS} == OTHER_KEYS


def test_a_token_file_in_another_layout_needs_no_refresh(file_account: Account) -> None:
    token = file_account.connected()
    text = "\ufeff" + json.dumps(file_account.content, indent="\t").replace("\n", "\r\n")
    file_account.file.write_text(text, newline="")
    assert file_account.new().access_token() == token
    assert file_account.refreshes == 1


# A database that goes away


@pytest.mark.parametrize("store", ["postgres"])
def test_tokens_whose_database_goes_away_during_a_refresh_are_rescued(
    account: Account, postgres: Postgres
) -> None:
    dead = account.connected()
    event = CONTEXT.Event()
    process = Process(ask_with_an_event, account.client, dead, event)
    assert process.hear() == "answered"
    with stopped(postgres):
        event.set()
        outcome = process.outcome()
        assert (outcome.error, outcome.exit_status) == ("RefreshFailedError", 1)
        with pytest.raises(TokenStoreError, match="cannot be read"):
            account.new().access_token(rejected=dead)
    check_rescue(account, dead, outcome.message)


@pytest.mark.parametrize("store", ["postgres"])
def test_a_database_that_comes_back_in_time_gets_the_tokens(
    account: Account, postgres: Postgres
) -> None:
    dead = account.connected()
    event = CONTEXT.Event()
    process = Process(ask_with_an_event, account.client, dead, event)
    assert process.hear() == "answered"
    with stopped(postgres):
        pass
    event.set()
    outcome = process.outcome()
    assert account.accepts(outcome.result)
    assert (account.refreshes, account.spent, account.is_kept()) == (2, 0, True)
    check_that_it_works(account, outcome.result)


@contextlib.contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    postgres.__exit__()
    try:
        yield
    finally:
        postgres.__enter__()


# Rescue files


@pytest.mark.parametrize("fault", ["none", "mode", "owner", "follows", "content"])
def test_a_rescue_file_that_is_not_ours_is_not_recovered(
    file_account: Account, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    account = file_account
    dead = account.connected()
    spent = "another" if fault == "follows" else account.stored.refresh_token
    pair = replace(account.stored, refresh_token="planted", access_token="planted")
    planted = account.new()._fallback.save(pair, spent)
    if fault == "mode":
        planted.chmod(0o622)
    elif fault == "owner":
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    elif fault == "content":
        planted.write_text("{")
    token = account.new().access_token(rejected=dead)
    if fault == "none":
        assert token == "planted"
    else:
        assert account.accepts(token)
    assert account.spent == 0


def test_a_rescue_file_is_for_its_own_store_only(file_account: Account) -> None:
    dead = file_account.connected()
    outcome = Process(ask_while_the_disk_fills, file_account.client, dead, False).outcome()
    assert outcome.error == RefreshFailedError.__name__
    elsewhere = replace(
        file_account.client, place=str(file_account.file.with_name("other.json")), seed=None
    )
    assert Process(ask, elsewhere).outcome().error == "SettingsError"
    check_rescue(file_account, dead, outcome.message)
