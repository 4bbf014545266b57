from __future__ import annotations

import logging
import stat
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import TapError, TokenStoreError
from tap_freshbooks.oauth.stores.factory import open_store
from tap_freshbooks.oauth.tokens import TokenPair
from tap_freshbooks.storage import database
from tap_freshbooks.webhooks.inbox import Inbox
from tests.storage.databases import empty_schema, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.pipeline import Postgres
    from tap_freshbooks.oauth.stores.base import TokenStore

NOWHERE = "127.0.0.1:1"
"""Where nothing listens."""

URLS = [
    "postgresql://u:p4ss@w0rd@host/db",
    f"postgresql+psycopg://u:p4ssw0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss@w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss/w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss#w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss?w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss:w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss%zzw0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss%00w0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss w0rd' x@{NOWHERE}/db",
    f"postgresql+psycopg://me@p4ss:w0rd@{NOWHERE}/db",
    f"postgresql+psycopg:///u:p4ssw0rd@{NOWHERE}/db",
    f"postgresql+psycopg://u:p4ss@{'w' * 70}.example/db",
    f"postgresql+psycopg://u:p4ssw0rd@{NOWHERE}/db?option=1",
    f"postgresql+psycopg://u:p4ss@{NOWHERE}/db?port=w&sslmode=x&sslpassword=w0rd",
    f"postgresql+psycopg://{NOWHERE}?password=p4ss@w0rd",
    "postgresql+psycopg://localhost?password=p4ss:x@w0rd",
    f"postgresql+psycopg://{NOWHERE}/db?user=u&password=p4ssw0rd",
    f"postgresql+psycopg://{NOWHERE}/db?user=u&password=p4ss@w0rd",
    f"postgresql+psycopg://{NOWHERE}/db?user=u&password=p4ss@w0rd/x",
    f"postgresql+psycopg://u:p4ss@{NOWHERE}:w0rd/db",
    "postgresql+psycopg://u:p4ssw0rd",
    "postgresql:u:p4ssw0rd@host/db",
    "postgres://u:p4ss@w0rd@host/db",
    "u:p4ssw0rd@host/db",
    "host=127.0.0.1 port=1 user=u password=p4ssw0rd",
    "password='p4ss w0rd' host=127.0.0.1",
    "sqlite:////tmp/no/such/tokens.db?key=p4ssw0rd",
    "sqlite+pysqlcipher://:p4ssw0rd@//tmp/tokens.db",
    "mysql://u:p4ss@w0rd@host/db",
    "sqlite://u:p4ssw0rd@host/tokens.db",
]


def use_token_store(url: str) -> str:
    store = open_store({"token_store": url, "client_id": "app"}, None, {})
    with store.locked() as locked:
        locked.read()
    return str(store)


def use_inbox(url: str) -> str:
    inbox = Inbox(url)
    inbox.append_gap("*", "*", "none")
    return str(inbox)


@pytest.mark.parametrize("use", [use_token_store, use_inbox])
@pytest.mark.parametrize("url", URLS)
def test_no_password_of_a_url_is_shown(
    url: str,
    use: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(database, "RETRY_TIMEOUT", 0)
    for name in ("", "sqlalchemy", "psycopg"):
        caplog.set_level(logging.DEBUG, name)
    with pytest.raises(TapError) as caught:
        use(url)
    told = "".join(traceback.format_exception(caught.value)).splitlines()[-1] + caplog.text
    assert not any(part in told for part in ("p4ss", "w0rd"))
    assert not list(tmp_path.iterdir()), "nothing is made where no file was meant"


def test_rows_with_tokens_are_logged_at_no_level(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "sqlalchemy")
    store = open_store({"token_store": f"sqlite:///{tmp_path}/t.db", "client_id": "a"}, None, {})
    with store.locked() as locked:
        locked.read()
        locked.check_writable(None)
        locked.write(TokenPair("r3fresh", access_token="acc3ss"))
    assert store.read() == TokenPair("r3fresh", access_token="acc3ss")
    assert "tap_freshbooks_tokens" in caplog.text
    assert "r3fresh" not in caplog.text
    assert "acc3ss" not in caplog.text


def test_a_database_without_an_encoding_holds_texts(postgres: Postgres) -> None:
    url = empty_schema(postgres, "ascii") + "%20-cclient_encoding%3DSQL_ASCII"
    store = open_store({"token_store": url, "client_id": "a"}, None, {})
    pair = TokenPair("r", access_token="a", seed="déjà vu")
    for _ in range(2):
        with store.locked() as locked:
            locked.read()
            locked.write(pair)
    assert store.read() == pair


def test_no_token_is_shown_that_a_database_quotes(postgres: Postgres) -> None:
    url = empty_schema(postgres, "quoting")
    store = open_store({"token_store": url, "client_id": "a"}, None, {})
    pair = TokenPair("r3fresh" * 10, access_token="acc3ss" * 30)
    with store.locked() as locked:
        locked.write(pair)
    execute(
        url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audited: %%', new; END $$",
        "CREATE TRIGGER audit BEFORE UPDATE ON tap_freshbooks_tokens "
        "FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    with store.locked() as locked, pytest.raises(TokenStoreError, match="audited: ") as caught:
        locked.write(pair)
    assert "3" not in str(caught.value).partition("audited")[2]


def store_at(path: Path) -> TokenStore:
    return open_store({"token_store": f"sqlite:///{path}", "client_id": "app"}, None, {})


def damaged(path: Path) -> None:
    with store_at(path).locked() as locked:
        locked.write(TokenPair("r3fresh"))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x07" * (len(content) - 4096)
    path.write_bytes(content)


def with_other_tables(path: Path) -> None:
    execute(f"sqlite:///{path}", "CREATE TABLE tap_freshbooks_tokens (name TEXT)")


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (
        lambda path: path.write_text('{"refresh_token": "r3fresh"}' * 99),
        "not a database; restore it",
    ),
    "damaged": (damaged, "malformed; restore it from a copy"),
    "other tables": (with_other_tables, "no such column|no column"),
    "a folder": (Path.mkdir, "no regular file"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_no_token_store_is_told_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tokens.db"
    make, sentence = FOREIGN[kind]
    make(path)
    mode = path.stat().st_mode if path.is_dir() else stat.S_IFREG | 0o600
    content = path.read_bytes() if path.is_file() else b""
    with pytest.raises(TokenStoreError, match=sentence) as reading:
        store_at(path).read()
    with pytest.raises(TokenStoreError, match=sentence) as locking:
        store_at(path).locked().__enter__()
    for caught in (reading, locking):
        assert str(path) in str(caught.value)
        assert "r3fresh" not in str(caught.value)
    assert path.stat().st_mode == mode
    if kind != "other tables":  # ours are made beside them, where that is possible
        assert (path.read_bytes() if path.is_file() else b"") == content


def test_an_empty_file_becomes_a_token_store(tmp_path: Path) -> None:
    path = tmp_path / "tokens.db"
    path.touch()
    assert store_at(path).read() is None
    with store_at(path).locked() as locked:
        locked.read()
        locked.write(TokenPair("r"))
    assert store_at(path).read() == TokenPair("r")
    execute(f"sqlite:///{path}", "CREATE TABLE theirs (name TEXT)")
    assert store_at(path).read() == TokenPair("r")
