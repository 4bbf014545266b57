"""What settings are, wherever they come from: files, variables, a `.env`."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks.config.unknown_names import variable_of
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.stores.serialization import KEYS
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support import Command

SECRET = "value-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own to work in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(settings: dict[str, Any], name: str = "config.json") -> str:
        (tmp_path / name).write_text(json.dumps(settings))
        return name

    return write


def effective(*sources: str) -> dict[str, Any]:
    """The settings with their defaults, as a command with these values of `--config` has them."""
    tap = TapFreshBooks(config=TapFreshBooks.read_settings(sources), setup_mapper=False)
    return dict(tap.config)


def problem(*sources: str) -> str:
    with pytest.raises(SettingsError) as error:
        effective(*sources)
    return str(error.value)


def every_setting() -> list[str]:
    TapFreshBooks(config={}, setup_mapper=False)  # after which the SDK's own are among them
    return list(TapFreshBooks.config_jsonschema["properties"])


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_variable_is_no_value(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for name in every_setting():
        monkeypatch.setenv(variable_of(name), blank)
    assert effective("ENV") == effective()
    assert effective("ENV")["include_deleted"] is True


def test_a_blank_variable_of_a_dotenv_is_no_value(tmp_path: Path) -> None:
    blanks = ("", '" "', "${NOWHERE}")
    lines = [f"{variable_of(name)}={blanks[len(name) % 3]}" for name in every_setting()]
    (tmp_path / ".env").write_text("\n".join([*lines, "TAP_FRESHBOOKS_CLIENT_ID"]))
    assert effective("ENV") == effective()


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_value_of_a_file_is_none(file: Callable[..., str], blank: str | None) -> None:
    assert effective(file(dict.fromkeys(every_setting(), blank))) == effective()


def test_what_is_blank_leaves_what_stands_elsewhere(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_FRESHBOOKS_INCLUDE_DELETED", "")
    monkeypatch.setenv("TAP_FRESHBOOKS_MAX_ATTEMPTS", "3")
    first = file({"include_deleted": False, "max_attempts": 5, "connection": "a"})
    second = file({"connection": "", "user_agent": "x"}, "second.json")
    settings = effective("ENV", first, second)
    assert settings["include_deleted"] is False
    assert (settings["max_attempts"], settings["connection"]) == (3, "a")


def test_a_blank_variable_keeps_that_of_a_dotenv_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TAP_FRESHBOOKS_REFRESH_TOKEN=theirs\n")
    monkeypatch.setenv("TAP_FRESHBOOKS_REFRESH_TOKEN", "")
    assert "refresh_token" not in effective("ENV")


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        *(("include_deleted", text, True) for text in ("true", "TRUE", "1", "yes", " On\n")),
        *(("include_deleted", text, False) for text in ("false", "False", "0", "no", "off")),
        ("max_attempts", " 12\n", 12),
        ("poll_interval", "0.5", 0.5),
        ("poll_interval", "1e2", 100),
        *(("full_table_interval", text, 24) for text in ("24", " 24.0\n", '"24"')),
        ("full_table_interval", '{"taxes": 24, "journal_*": 0.5}', {"taxes": 24, "journal_*": 0.5}),
        ("full_table_interval", "{}", {}),
        ("business_ids", "[1, 2]", [1, 2]),
        ("business_ids", "1, 2,", [1, 2]),
        ("business_ids", "17", [17]),
        ("report_currencies", '["USD"]', ["USD"]),
        ("report_currencies", "USD,CAD", ["USD", "CAD"]),
        ("report_currencies", '"USD, CAD"', ["USD", "CAD"]),
        ("report_currencies", "EUR", ["EUR"]),
        ("stream_map_config", '{"a": 1}', {"a": 1}),
        ("user_agent", "12", "12"),
        *((name, f" {SECRET}\n", SECRET) for name in ("access_token", "connection", "token_store")),
        ("flattening_separator", " - ", " - "),
    ],
)
def test_a_variable_has_the_type_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, setting: str, text: str, value: object
) -> None:
    monkeypatch.setenv(variable_of(setting), text)
    found = effective("ENV")[setting]
    assert found == value
    assert isinstance(found, int | float) or type(found) is type(value)


WRONG_TEXTS = [
    *(("include_deleted", text) for text in ("maybe", "y", "2", "nein", "null")),
    *(("max_attempts", text) for text in ("many", "1.5", "1_0", "true", "9" * 99, "\u0663", "0")),
    pytest.param("max_attempts", "9" * 5000, id="max_attempts-long"),
    *(("poll_interval", text) for text in ("nan", "inf", "-1", "1e300", "1,5", "0x10")),
    *(("full_table_interval", text) for text in ("often", "-1", "nan", "1e300", "true", "[1]")),
    *(("full_table_interval", f'{{"taxes": {text}}}') for text in ("-1", "NaN", '"1"', "null")),
    ("full_table_interval", '{"taxes": 1'),
    pytest.param("full_table_interval", '{"a": ' * 100_000, id="full_table_interval-deep"),
    *(("business_ids", text) for text in ("1;2", "[1", '["a"]', '{"a": 1}', "[true]", "[1.5]")),
    *(("custom_streams", text) for text in ("a,b", "{}", "[1]")),
    pytest.param("custom_streams", "[" * 100_000, id="custom_streams-deep"),
    *(("stream_maps", text) for text in ("x", "[]", "5", '{"invoices": 1}')),
    ("unknown_fields", "drop"),
    ("start_date", "yesterday"),
    ("api_url", "localhost"),
    *(
        ("auth_url", f"https://{text}")
        for text in ("a b", "a\\b", "a%b", "a|b", "[v1.x]", "a?b", "a#b")
    ),
    ("auth_failure_url", "https://exa mple/x?key=1"),
    ("client_id", "\u2026"),
    ("flattening_max_depth", "deep"),
]


@pytest.mark.parametrize(("setting", "text"), WRONG_TEXTS)
def test_a_wrong_variable_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, setting: str, text: str
) -> None:
    monkeypatch.setenv(variable_of(setting), text)
    sentence = problem("ENV")
    assert sentence.startswith(f"wrong settings: {setting}")
    assert sentence.endswith(f"(variable {variable_of(setting)})")
    assert len(sentence) < 300


def test_a_wrong_variable_of_a_dotenv_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("TAP_FRESHBOOKS_FAIL_ON_SKIPPED=perhaps\n")
    assert f"(variable TAP_FRESHBOOKS_FAIL_ON_SKIPPED of {path})" in problem("ENV")


WRONG_VALUES = [
    ("include_deleted", "yes"),
    ("include_deleted", 1),
    ("max_attempts", "10"),
    ("max_attempts", True),
    ("max_attempts", 1.5),
    ("max_attempts", -1),
    ("max_attempts", 10**30),
    ("max_attempts", float("inf")),
    ("poll_interval", float("nan")),
    ("poll_interval", float("inf")),
    ("full_refresh_interval", 1e12),
    ("full_table_interval", {"taxes": 1e12}),
    ("full_table_interval", {"taxes": {"hours": 1}}),
    ("full_table_interval", {"taxes": True}),
    ("full_table_interval", [24]),
    ("business_ids", "1,2"),
    ("business_ids", 5),
    ("business_ids", [1, "2"]),
    ("report_currencies", [None]),
    ("report_currencies", [""]),
    ("report_currencies", ["USD", "cad"]),
    ("hard_deletes", "Tombstones"),
    ("client_secret", 12345),
    ("client_secret", {"a": 1}),
    ("client_secret", "a\0b"),
    ("connection", "a\0b"),
    ("connection", "\ud800"),
    ("token_store", "\udcff.json"),
    ("connection", ["a"]),
    ("start_date", 2024),
    ("unified_mappings", 5),
    ("unknown_fields", False),
    ("stream_maps", []),
    ("flattening_enabled", "true"),
    ("batch_config", {"encoding": "jsonl", "storage": {"root": "."}}),
    ("batch_config", {"encoding": {"format": "jsonl"}}),
    ("batch_config", {"encoding": {"format": "csv"}, "storage": {"root": "."}}),
    ("batch_config", {"encoding": {"format": "jsonl"}, "storage": {"root": ".", "rot": 1}}),
    ("max_concurrency", 10**8),
    ("requests_per_second", 1e-9),
    ("requests_per_second", "many"),
    ("requests_per_second", "nan"),
    ("max_attempts", "2"),
]


@pytest.mark.parametrize(("setting", "value"), WRONG_VALUES)
def test_a_wrong_value_names_its_file_and_key(
    file: Callable[..., str], setting: str, value: object
) -> None:
    good = file({"include_deleted": True, "max_attempts": 2}, "good.json")
    sentence = problem(good, file({setting: value}), "ENV")
    assert sentence.startswith(f"wrong settings: {setting}")
    assert sentence.count("(config.json)") == 1
    assert "good.json" not in sentence
    assert "12345" not in sentence


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_places_the_one_that_counts_is_named(
    file: Callable[..., str], order: int
) -> None:
    files = [file({"max_attempts": "a"}, "a.json"), file({"max_attempts": "b"}, "b.json")][::order]
    assert problem(*files).endswith(f"({files[-1]})")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_a_device_without_end_is_no_configuration_file(device: str) -> None:
    assert problem(device).startswith(
        f"the configuration file {device} cannot be read: there is no"
    )


def test_of_two_files_with_a_refresh_token_none_keeps_the_next_one(
    file: Callable[..., str],
) -> None:
    files = [file({"refresh_token": "a"}, "a.json"), file({"refresh_token": "b"}, "b.json")]
    assert TapFreshBooks.read_settings(files).token_file is None
    assert str(TapFreshBooks.read_settings(files[:1]).token_file) == "a.json"


def test_a_whole_number_with_a_point_is_an_integer(file: Callable[..., str]) -> None:
    found = effective(file({"max_concurrency": 4.0}))["max_concurrency"]
    assert (found, type(found)) == (4, int)


def test_a_number_with_a_fraction_may_be_text_as_meltano_writes_it(
    file: Callable[..., str],
) -> None:
    found = effective(file({"requests_per_second": "1000", "poll_interval": " 0.5 "}))
    assert (found["requests_per_second"], found["poll_interval"]) == (1000, 0.5)


@pytest.mark.parametrize(("text", "value"), [("24", 24), ('{"taxes": 24}', {"taxes": 24})])
def test_a_number_or_an_object_may_be_text_as_meltano_writes_it(
    file: Callable[..., str], text: str, value: object
) -> None:
    assert effective(file({"full_table_interval": text}))["full_table_interval"] == value


def test_an_interval_of_a_dotenv_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_FRESHBOOKS_FULL_TABLE_INTERVAL='{\"taxes\": 24}'\n")
    assert effective("ENV")["full_table_interval"] == {"taxes": 24}


@pytest.mark.parametrize("variable", ["LOGLEVEL", "TAP_FRESHBOOKS_LOGLEVEL"])
def test_a_level_of_the_log_may_be_blank_but_not_wrong(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path, variable: str
) -> None:
    for level in ("", " ", "info"):
        monkeypatch.setenv(variable, level)
        assert command("--test=schema")[0] == 0
    monkeypatch.setenv(variable, "loud")
    status, out, error = command("--test=schema")
    assert (status, out) == (2, "")
    sentence = f"the variable {variable} names no level of the log"
    assert sentence in error
    monkeypatch.delenv(variable)
    (tmp_path / ".env").write_text(f"{variable}=loud\n")
    assert sentence in problem("ENV")


@pytest.mark.parametrize("arguments", [["--discover"], ["--test=schema"], ["status"], ["login"]])
def test_every_way_in_refuses_a_wrong_setting(
    file: Callable[..., str], command: Command, arguments: list[str]
) -> None:
    path = file({"unified_mappings": 5})
    status, out, error = command(*arguments[:1], "--config", path, *arguments[1:])
    assert (status, out) == (2, "")
    assert "unified_mappings must be of type string (config.json)" in error


# Names that nobody knows


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[..., list[str]]:
    def of(*sources: str) -> list[str]:
        caplog.clear()
        effective(*sources)
        records = [each for each in caplog.records if each.levelno >= logging.WARNING]
        return [each.getMessage() for each in records]

    return of


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("max_concurency", "max_concurrency"),
        ("clientId", "client_id"),
        ("start-date", "start_date"),
        ("INCLUDE_DELETED", "include_deleted"),
        ("stream_map", "stream_maps"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest(
    file: Callable[..., str], warnings: Callable[..., list[str]], name: str, near: str
) -> None:
    good = file({"user_agent": "x"}, "good.json")
    [warning] = warnings(file({name: SECRET}), good)
    expected = f"The setting {name} (config.json) is unknown and ignored; did you mean {near}?"
    assert warning == expected


def test_an_unknown_setting_may_be_like_none(
    file: Callable[..., str], warnings: Callable[..., list[str]]
) -> None:
    [warning] = warnings(file({"zzz": "\ud800", "foo": None}))
    assert warning == "The setting zzz (config.json) is unknown and ignored"


def test_an_unknown_key_within_a_setting_is_named(
    file: Callable[..., str], warnings: Callable[..., list[str]]
) -> None:
    config = {"faker_config": {"sed": 5}, "stream_maps": {"invoices": {"x": "id"}}}
    [warning] = warnings(file(config))
    assert "faker_config.sed (config.json) is unknown and ignored; did you mean seed?" in warning


def test_what_the_tap_keeps_in_its_file_is_known(
    file: Callable[..., str], warnings: Callable[..., list[str]]
) -> None:
    assert not warnings(file(dict.fromkeys([*KEYS, *every_setting()])))
    assert not warnings(file({name: 1 for name in KEYS if not name.endswith("_token")}))


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("TAP_FRESHBOOKS_CLIENT_IDD", "TAP_FRESHBOOKS_CLIENT_ID"),
        ("tap_freshbooks_client_id", "TAP_FRESHBOOKS_CLIENT_ID"),
        ("TAP_FRESHBOOK_REFRESH_TOKEN", "TAP_FRESHBOOKS_REFRESH_TOKEN"),
        ("FRESHBOOKS_CLIENT_SECRET", "TAP_FRESHBOOKS_CLIENT_SECRET"),
        ("FRESHBOOKS_API_UL", "FRESHBOOKS_API_URL"),
        ("TAP_FRESHBOOKS_LOG_LEVEL", "TAP_FRESHBOOKS_LOGLEVEL"),
        ("TAP_FRESHBOOKS_SECOND_CLIENT_ID", "TAP_FRESHBOOKS_CLIENT_ID"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, warnings: Callable[..., list[str]], variable: str, near: str
) -> None:
    monkeypatch.setenv(variable, SECRET)
    assert not warnings()
    [warning] = warnings("ENV")
    assert warning == f"The variable {variable} is unknown and ignored; did you mean {near}?"
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", ".")
    assert len(warnings("ENV")) == (0 if "SECOND" in variable else 1)


def test_an_unknown_variable_of_a_dotenv_names_the_file(
    tmp_path: Path, warnings: Callable[..., list[str]]
) -> None:
    path = tmp_path / ".env"
    path.write_text("TAP_FRESHBOOKS_BUSINESSES=1\n")
    [warning] = warnings("ENV")
    assert warning.startswith(f"The variable TAP_FRESHBOOKS_BUSINESSES of {path} is unknown")


def test_known_variables_are_not_named(
    monkeypatch: pytest.MonkeyPatch, warnings: Callable[..., list[str]]
) -> None:
    kubernetes = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP_ADDR"]
    meltanos = [
        *("TAP_FRESHBOOKS__SELECT", "TAP_FRESHBOOKS_B__SELECT", "TAP_FRESHBOOKS_B_CLIENT_ID"),
        "TAP_FRESHBOOKS_FAKER_CONFIG_SEED",
    ]
    monkeypatch.setenv("TAP_FRESHBOOKS_LOGLEVEL", "INFO")
    for name in (
        *("FRESHBOOKS_AUTH_URL", "FRESHBOOKS_CLIENT_ID"),
        *("TAP_FRESHBOOKS_CLIENT_ID", "MELTANO_EXTRACTOR_NAME", "FRESHBOOKS_SOMETHING"),
        *meltanos,
        *(f"TAP_FRESHBOOKS_{name}" for name in kubernetes),
    ):
        monkeypatch.setenv(name, "x")
    assert not warnings("ENV")
