"""Which `.env` is read, and how."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.webhooks.server import asgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE = "TAP_FRESHBOOKS_CLIENT_ID=of-the-file\n"
STRANGER = 4711

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tap is started: a project in the home directory."""
    cwd = tmp_path / "home" / "project" / "work"
    cwd.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(cwd)
    return cwd


@pytest.fixture
def logged(folder: Path, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What reading the settings of `folder` warns of."""
    assert folder

    def read() -> list[str]:
        caplog.clear()
        TapFreshBooks.read_settings(["ENV"])
        records = [each for each in caplog.records if each.levelno >= logging.WARNING]
        return [each.getMessage() for each in records]

    return read


def client_id() -> str | None:
    client: str | None = TapFreshBooks.read_settings(["ENV"]).get("client_id")
    return client


def test_it_is_named_and_one_further_up_is_told_by_all_commands(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for place in (folder, folder.parent):
            path = place / ".env"
            path.write_text(LINE)
            assert client_id() == "of-the-file"
            record = caplog.records[-1]
            assert record.getMessage().endswith(f"are taken from {path}")
            assert record.levelname == ("INFO" if place == folder else "WARNING")
            path.unlink()


def test_it_is_not_named_if_nothing_is_taken(
    folder: Path, logged: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / ".env").write_text(LINE)
    monkeypatch.setenv("TAP_FRESHBOOKS_CLIENT_ID", "ours")
    assert not logged()


def test_a_variable_is_not_unknown_if_what_it_is_like_stands_there(
    folder: Path, logged: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(LINE)
    monkeypatch.setenv("FRESHBOOKS_CLIENT_ID", "of-something-else")
    assert not logged()


@pytest.mark.parametrize("name", ["MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT", "MELTANO_X"])
def test_with_any_variable_of_meltano_it_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (folder / ".env").write_bytes(b"\xff")
    monkeypatch.setenv(name, "")
    assert client_id() is None


def test_without_env_among_the_sources_it_is_not_read(folder: Path) -> None:
    (folder / ".env").write_bytes(b"\xff")
    assert not TapFreshBooks.read_settings([])
    assert "TAP_FRESHBOOKS_CLIENT_ID" not in os.environ


def test_a_file_that_was_named_wins_over_one_that_was_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(
        f"{LINE}TAP_FRESHBOOKS_REFRESH_TOKEN=theirs\nTAP_FRESHBOOKS_USER_AGENT=lacking\n"
    )
    (folder / "b.json").write_text('{"client_id": "ours", "refresh_token": "ours"}')
    settings = TapFreshBooks.read_settings(["b.json", "ENV"])
    assert settings == {"client_id": "ours", "refresh_token": "ours", "user_agent": "lacking"}
    assert str(settings.token_file) == "b.json"
    monkeypatch.setenv("TAP_FRESHBOOKS_REFRESH_TOKEN", "of-the-environment")
    settings = TapFreshBooks.read_settings(["b.json", "ENV"])
    assert settings["refresh_token"] == "of-the-environment"
    assert settings.token_file is None


@pytest.mark.parametrize(
    ("named", "found"),
    [("access_token", "refresh_token"), ("refresh_token", "access_token")],
)
def test_it_adds_no_token_to_that_of_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: str
) -> None:
    (folder / ".env").write_text(f"TAP_FRESHBOOKS_{found.upper()}=theirs\n{LINE}")
    (folder / "b.json").write_text(json.dumps({named: "ours"}))
    expected = {named: "ours", "client_id": "of-the-file"}
    assert TapFreshBooks.read_settings(["b.json", "ENV"]) == expected
    monkeypatch.setenv(f"TAP_FRESHBOOKS_{named.upper()}", "ours")
    assert TapFreshBooks.read_settings(["ENV"])[named] == "ours"
    assert found not in TapFreshBooks.read_settings(["ENV"])


def test_it_does_not_outdo_a_variable_of_another_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("TAP_FRESHBOOKS_API_URL=http://theirs\nFRESHBOOKS_AUTH_URL=x\n")
    monkeypatch.setenv("FRESHBOOKS_API_URL", "http://ours")
    monkeypatch.setenv("TAP_FRESHBOOKS_AUTH_URL", "http://ours")
    connection = TapFreshBooks(config=TapFreshBooks.read_settings(["ENV"])).connection
    assert (connection.api_url, connection.auth_url) == ("http://ours", "http://ours")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("export TAP_FRESHBOOKS_CLIENT_ID=a", "a"),
        ("TAP_FRESHBOOKS_CLIENT_ID = 'a b' # why", "a b"),
        ('\ufeffTAP_FRESHBOOKS_CLIENT_ID="a#b"\r\n', "a#b"),
        ("TAP_FRESHBOOKS_CLIENT_ID=${NAME}-${TOP:-x}", "ours-x"),
        ("NAME=theirs\nTAP_FRESHBOOKS_CLIENT_ID=${NAME}", "ours"),
        ("TAP_FRESHBOOKS_CLIENT_ID=${NOWHERE}", None),
        ("TAP_FRESHBOOKS_CLIENT_ID", None),
        ("TAP_FRESHBOOKS_CLIENT_ID=a\nTAP_FRESHBOOKS_CLIENT_ID=b", "b"),
    ],
)
def test_its_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, value: str | None
) -> None:
    (folder / ".env").write_text(line)
    monkeypatch.setenv("NAME", "ours")
    assert client_id() == value


def test_the_nearest_counts_alone(folder: Path) -> None:
    (folder / ".env").write_text("TAP_FRESHBOOKS_USER_AGENT=x\n")
    (folder.parent / ".env").write_text(LINE)
    assert client_id() is None


def test_its_other_variables_count_too(folder: Path) -> None:
    (folder / ".env").write_text("FRESHBOOKS_API_URL=http://sandbox\nHTTPS_PROXY=http://proxy\n")
    settings = TapFreshBooks.read_settings(["ENV"])
    assert TapFreshBooks(config=settings).connection.api_url == "http://sandbox"
    assert os.environ["HTTPS_PROXY"] == "http://proxy"


@pytest.mark.parametrize(
    "content", [b"TAP_FRESHBOOKS_CLIENT_ID=\xff", b'CLIENT="a\0b"', b"\xff\xfeA"]
)
def test_what_is_none_is_a_sentence(folder: Path, content: bytes) -> None:
    (folder / ".env").write_bytes(content)
    sentence = f"{folder / '.env'} does not have the form of a .env file"
    with pytest.raises(SettingsError, match=sentence):
        client_id()


def test_a_working_directory_that_was_removed_has_none(folder: Path) -> None:
    folder.rmdir()
    assert client_id() is None


def test_a_folder_of_its_name_is_none(folder: Path) -> None:
    (folder / ".env").mkdir()
    (folder.parent / ".env").write_text(LINE)
    assert client_id() == "of-the-file"


def test_a_folder_that_may_not_be_looked_into_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def is_file(path: Path) -> bool:
        looked.append(path)
        raise PermissionError

    monkeypatch.setattr(type(folder), "is_file", is_file)
    assert client_id() is None
    assert looked[:2] == [folder / ".env", folder.parent / ".env"]


@pytest.mark.parametrize("above", [0, 1])
def test_that_of_the_home_directory_belongs_to_no_project(
    folder: Path, logged: Callable[[], list[str]], above: int
) -> None:
    path = folder.parents[1 + above] / ".env"
    path.write_text(LINE)
    assert logged() == [f"{path} is not read: in your home directory it belongs to no project"]
    assert client_id() is None


def test_that_of_the_home_directory_is_read_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parents[1] / ".env").write_text(LINE)
    monkeypatch.chdir(folder.parents[1])
    assert client_id() == "of-the-file"


@pytest.mark.parametrize("home", ["/", "/nowhere", ""])
def test_elsewhere_the_search_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    (folder.parents[2] / ".env").write_text(LINE)
    monkeypatch.setenv("HOME", home)
    assert client_id() == "of-the-file"


def a_file(path: Path) -> None:
    path.write_text(LINE)
    os.chown(path, STRANGER, STRANGER)


def a_link(path: Path) -> None:
    """To a file of ours, of another customer say."""
    (path.parent / "other").write_text(LINE)
    path.symlink_to(path.parent / "other")
    os.lchown(path, STRANGER, STRANGER)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)
    os.chown(path, STRANGER, STRANGER)


@as_root
@pytest.mark.parametrize("put", [a_file, a_link, a_pipe])
@pytest.mark.parametrize("above", [0, 1])
def test_what_others_could_have_put_there_is_not_read(
    folder: Path, logged: Callable[[], list[str]], put: Callable[[Path], None], above: int
) -> None:
    place = [folder, folder.parent][above]
    place.chmod(0o1777)
    path = place / ".env"
    put(path)
    assert logged() == [f"{path} is not read: somebody else could have put it there"]
    assert client_id() is None


@as_root
def test_nor_what_stands_in_the_folder_of_another(
    folder: Path, logged: Callable[[], list[str]]
) -> None:
    a_file(folder.parent / ".env")
    os.chown(folder.parent, STRANGER, STRANGER)
    assert logged()
    assert client_id() is None


@as_root
def test_a_container_reads_that_of_its_host(folder: Path) -> None:
    a_file(folder / ".env")  # mounted alone
    assert client_id() == "of-the-file"
    (folder / ".env").rename(folder.parent / ".env")
    for place in (folder, folder.parent):  # mounted with the project
        os.chown(place, STRANGER, STRANGER)
    assert client_id() == "of-the-file"


def test_the_receiver_reads_it_as_all_commands_do(folder: Path) -> None:
    (folder / ".env").write_text(f"TAP_FRESHBOOKS_WEBHOOK_INBOX='{folder / 'inbox.db'}'\n")
    assert asgi.app()
