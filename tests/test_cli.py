from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import pytest
import requests

from tap_freshbooks.cli import COMMANDS, run
from tests.support import catalog_of, sync, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

TAP = [sys.executable, "-m", "tap_freshbooks"]

OFFLINE = [
    sys.executable,
    "-c",
    """
import atexit, gc, os, socket, sys
def refuse(*args): sys.exit('the network was touched')
socket.socket.connect = socket.getaddrinfo = refuse
def look():
    if not gc.isenabled() or gc.get_stats()[2]["collections"] or len(gc.get_objects()) > 500:
        os._exit(99)
atexit.register(look)
from tap_freshbooks.cli import main
main()
""",
]
"""The command line in a process that ends as soon as it touches the network.

With status 99 if it looks through all objects for garbage, which nothing so short is worth, or if
no search would follow where it goes on.
"""


@pytest.fixture
def tap(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line: exit status, output, and the last line of its errors.

    Here, or where it matters, as a program in a process of its own.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*args: str, program: list[str] | None = None) -> tuple[int, str, str]:
        status, out, error = in_process(*program, *args) if program else command(*args)
        lines = error.strip().splitlines()
        return status, out, lines[-1] if lines else ""

    return run


def in_process(*args: str) -> tuple[int, str, str]:
    """Run a program: exit status, output, and errors."""
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def written(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


class TestWithoutNetwork:
    """What must work without a network, a token or a configuration."""

    @pytest.fixture
    def tap(self, tap: Any) -> Any:
        return partial(tap, program=OFFLINE)

    def test_discovery(self, tap: Any) -> None:
        status, out, _ = tap("--discover")
        assert status == 0
        assert len(json.loads(out)["streams"]) >= 14

    def test_about(self, tap: Any) -> None:
        status, out, _ = tap("--about", "--format", "json")
        assert status == 0
        about = json.loads(out)
        secrets = {
            name
            for name, setting in about["settings"]["properties"].items()
            if setting.get("secret")
        }
        assert secrets == {
            *("client_secret", "refresh_token", "access_token"),
            *("token_encryption_key", "webhook_inbox"),
        }

    @pytest.mark.parametrize("args", [[], ["--help"]])
    def test_help_names_the_sub_commands_and_the_options_of_the_tap(
        self, tap: Any, args: list[str]
    ) -> None:
        status, out, _ = tap(*args)
        assert status == 0
        assert "--discover" in out
        assert all(f"\n  {name} " in out for name in COMMANDS)

    def test_the_schema_test(self, tap: Any) -> None:
        status, out, _ = tap("--test=schema")
        assert status == 0
        assert {json.loads(line)["type"] for line in out.splitlines()} == {"SCHEMA"}

    def test_the_version(self, tap: Any) -> None:
        status, out, _ = tap("--version")
        assert status == 0
        assert out.startswith("tap-freshbooks v")


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ({}, "the settings client_id and client_secret are missing"),
            ({"client_id": "a"}, "the settings client_secret are missing"),
            ({"client_id": "a", "client_secret": "b"}, "there is no connection yet"),
            ({"business_ids": ["one"]}, "business_ids.0 must be of type integer"),
            ({"client_secret": 12345}, "client_secret must be of type string"),
            ({"access_token": "pasted\u2026"}, "access_token must be plain printable text"),
            ({"api_url": "localhost:8080"}, "api_url must be a URL"),
            ({"flattening_enabled": True}, "flattening_enabled needs flattening_max_depth"),
            ({"start_date": "9999-12-31T23:59:59-05:00"}, "start_date must be a date"),
            ({"token_store": "~nosuch/x", "client_id": "a"}, "not a usable path"),
            ({"token_store": "x", "connection": "two"}, "holds one connection"),
            ({"max_concurrency": 0}, "max_concurrency is not allowed: minimum 1"),
            ({"requests_per_second": 0}, "requests_per_second is not allowed"),
            ({"start_date": "yesterday"}, "start_date must be a date"),
            ({"token_store": "mysql://x/y", "client_id": "a"}, "token_store names mysql"),
            ("{not json", "is not valid JSON, line 1"),
            ("[]", "does not hold a JSON object"),
        ],
    )
    def test_wrong_settings_are_named(
        self, tap: Any, tmp_path: Path, content: Any, sentence: str
    ) -> None:
        path = tmp_path / "config.json"
        status, out, error = tap("--config", written(path, content))
        assert status == 2
        assert sentence in error
        assert error.startswith("Error: ")
        assert "12345" not in error
        assert "RECORD" not in out
        assert path.read_text() == (content if isinstance(content, str) else json.dumps(content))

    def test_a_missing_file(self, tap: Any) -> None:
        status, _, error = tap("--config", "nowhere.json")
        assert status == 2
        assert "nowhere.json cannot be read: No such file" in error

    def test_an_unreadable_file(self, tap: Any, tmp_path: Path) -> None:
        status, _, error = tap("--config", str(tmp_path))
        assert status == 2
        assert "cannot be read: Is a directory" in error

    def test_an_environment_variable_of_the_wrong_type(
        self, tap: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TAP_FRESHBOOKS_MAX_ATTEMPTS", "many")
        status, _, error = tap("--config", "ENV")
        assert status == 2
        assert "TAP_FRESHBOOKS_" in error

    @pytest.mark.parametrize("flag", ["state", "catalog"])
    @pytest.mark.parametrize(
        "content",
        [
            "{",
            '"x"',
            "[5]",
            '{"bookmarks": [], "streams": null}',
            '{"bookmarks": {"invoices": {"partitions": [null]}}, "streams": [{}]}',
            '{"bookmarks": {"invoices": {"partitions": [{}, {}]}}, "streams": [null]}',
        ],
    )
    def test_state_and_catalog_files_that_are_none(
        self, tap: Any, tmp_path: Path, flag: str, content: str
    ) -> None:
        status, out, error = tap(f"--{flag}", written(tmp_path / "file.json", content))
        assert status == 2
        assert f"the {flag} file " in error
        assert out == ""

    @pytest.mark.parametrize(
        "bookmark", ["garbage", 5, ["x"], "0001-01-01T00:00:00+14:00", "2099-01-01T00:00:00Z"]
    )
    def test_a_bookmark_that_makes_no_sense_means_that_everything_is_read(
        self, sandbox: Sandbox, config: dict[str, Any], bookmark: Any
    ) -> None:
        contexts = [{"account_id": each["account_id"]} for each in sandbox.businesses()[:2]]
        partitions = [
            {"context": context, "replication_key": "updated", "replication_key_value": bookmark}
            for context in contexts
        ]
        state = {"bookmarks": {"items": {"partitions": partitions}}}
        messages = sync(config, "items", state=state)
        assert len(messages.records["items"]) == sandbox.count("items") + sandbox.count("items", 2)
        for partition in messages.state["bookmarks"]["items"]["partitions"]:
            assert partition["replication_key_value"].startswith("20")

    def test_wrong_stream_maps(self, tap: Any, tmp_path: Path, sandbox: Sandbox) -> None:
        config = {**sandbox.config(), "stream_maps": {"invoices": {"x": "no such thing("}}}
        status, _, error = tap("--config", written(tmp_path / "config.json", config))
        assert status == 2
        assert error.startswith("Error: stream_maps.invoices.x is no expression")

    @pytest.mark.parametrize(
        "body", ["{}", "[]", '"x"', '{"response": null}', '{"response": {"roles": [null]}}']
    )
    def test_an_identity_that_is_none(
        self, tap: Any, tmp_path: Path, sandbox: Sandbox, body: str
    ) -> None:
        config = sandbox.config()
        path = written(tmp_path / "config.json", config)
        sandbox.faults(
            "status",
            status=200,
            body=body,
            content_type="application/json",
            client_id=config["client_id"],
            path="*/users/me",
        )
        status, _, error = tap("--config", path)
        sandbox.faults_clear()
        assert status == 1
        assert "the answer does not name any memberships" in error

    @pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["sandbox", "--nonsense"]])
    def test_wrong_usage(self, tap: Any, args: list[str]) -> None:
        status, _, error = tap(*args)
        assert status == 2
        assert "nonsense" in error

    def test_a_server_that_is_not_there(self, tap: Any, tmp_path: Path) -> None:
        config = {"access_token": "t", "api_url": "http://127.0.0.1:9", "max_attempts": 2}
        status, out, error = tap("--config", written(tmp_path / "config.json", config))
        assert status == 1
        assert "cannot be reached: Connection refused; gave up after 2 attempts" in error
        assert out == ""

    def test_a_token_endpoint_that_is_not_there_is_not_asked_once_per_attempt(
        self, tap: Any, tmp_path: Path
    ) -> None:
        config = {
            "client_id": "a",
            "client_secret": "b",
            "refresh_token": "r",
            "api_url": "http://127.0.0.1:9",
        }
        without_waiting = """
from tap_freshbooks.cli import main
from tap_freshbooks.oauth import rotation

class Hurried(rotation.Event):
    def wait(self, timeout=None):
        print(timeout)

rotation.Event = Hurried
main()
"""
        status, out, error = tap(
            "--config",
            written(tmp_path / "config.json", config),
            program=[sys.executable, "-c", without_waiting],
        )
        assert status == 1
        assert "the access token could not be refreshed" in error
        assert len(out.splitlines()) == 2  # waits between three tries

    def test_a_dead_refresh_token(self, tap: Any, tmp_path: Path, sandbox: Sandbox) -> None:
        path = tmp_path / "config.json"
        settings = {**sandbox.config(), "refresh_token": "0" * 64}
        text = json.dumps(settings, indent=3)
        status, out, error = tap("--config", written(path, text))
        assert status == 3
        assert "the refresh token is spent or revoked" in error
        assert "connect the account again with `tap-freshbooks login`" in error
        assert out == ""
        content = json.loads(path.read_text())
        assert {name: content[name] for name in settings} == settings
        assert "0" * 64 not in error

    def test_a_read_only_config_file(self, tap: Any, tmp_path: Path, sandbox: Sandbox) -> None:
        path = tmp_path / "config.json"
        settings = sandbox.config()
        text = json.dumps(settings)
        written(path, text)
        path.chmod(0o444)
        status, _, error = tap("--config", str(path))
        assert status == 1
        assert "cannot be written" in error
        assert "no refresh token was spent" in error
        assert path.read_text() == text
        assert sandbox.stats(settings["client_id"])["refreshes"] == 0

    @pytest.mark.parametrize("position", [3, -1])
    def test_a_business_that_the_user_may_not_read(
        self, tap: Any, tmp_path: Path, sandbox: Sandbox, position: int
    ) -> None:
        foreign = sandbox.businesses()[position]["id"]
        own = sandbox.businesses()[0]["id"]
        config = {**sandbox.config(), "business_ids": [own, foreign]}
        status, out, error = tap("--config", written(tmp_path / "config.json", config))
        assert status == 2
        assert f"the setting business_ids names {foreign}" in error
        assert f"(business {own})" in error
        assert out == ""

    def test_a_token_that_is_refused(self, tap: Any, tmp_path: Path, sandbox: Sandbox) -> None:
        config = {"access_token": "garbage", "api_url": sandbox.url}
        status, _, error = tap("--config", written(tmp_path / "config.json", config))
        assert status == 3
        assert "access_token" in error
        assert "garbage" not in error


class TestSubCommands:
    @pytest.mark.parametrize(
        ("args", "sentence"),
        [
            (["statsu"], "there is no sub-command 'statsu'; did you mean status?"),
            (["xyz"], "there is no sub-command 'xyz'; there are login, logout, status, "),
            (["--config", "ENV", "status"], "'status' comes after options of the tap"),
            (["sandbox", "--prot", "80"], "No such option '--prot'"),
        ],
    )
    def test_wrong_usage_is_told_in_a_sentence(
        self, capsys: pytest.CaptureFixture[str], args: list[str], sentence: str
    ) -> None:
        assert run(args) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert f"Error: {sentence}" in err
        assert err.startswith("Usage: tap-freshbooks ")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_each_is_there_and_says_what_it_is_for(
        self, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        assert run([name, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: tap-freshbooks {name} ")

    def test_only_the_one_that_is_called_is_imported(self, tap: Any) -> None:
        program = """
import sys
from tap_freshbooks.cli import run
assert run(["sandbox", "--help"]) == 0
loaded = {"singer_sdk", "tap_freshbooks.tap", "tap_freshbooks.commands.login"} & set(sys.modules)
sys.exit(", ".join(sorted(loaded)) or 0)
"""
        status, _, error = tap(program=[sys.executable, "-c", program])
        assert (status, error) == (0, "")


def test_a_sub_command_without_its_extra_says_what_to_install(tap: Any) -> None:
    without = "import sys; sys.modules['uvicorn'] = None; import tap_freshbooks.cli as c; c.main()"
    status, _, error = tap("sandbox", "--help", program=[sys.executable, "-c", without])
    assert status == 2
    assert "(missing: uvicorn)" in error
    assert "pip install 'tap-freshbooks[sandbox]'" in error


def test_the_config_file_keeps_the_connection(tap: Any, tmp_path: Path, sandbox: Sandbox) -> None:
    path = tmp_path / "config.json"
    settings = sandbox.config()
    written(path, json.dumps({**settings, "requests_per_second": 1000}, indent=2))
    catalog = written(tmp_path / "catalog.json", catalog_of("identity"))
    for _ in range(2):
        assert tap("--config", str(path), "--catalog", catalog)[0] == 0
    content = json.loads(path.read_text())
    assert content["refresh_token"] != settings["refresh_token"]
    assert content["requests_per_second"] == 1000
    assert path.stat().st_mode & 0o777 == 0o600
    stats = sandbox.stats(settings["client_id"])
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (1, 0)


def test_no_secret_shows(tmp_path: Path, sandbox: Sandbox) -> None:
    path = tmp_path / "config.json"
    settings = sandbox.config()
    written(path, settings)
    catalog = written(tmp_path / "catalog.json", catalog_of("identity", "businesses"))
    done = subprocess.run(
        [*TAP, "--config", str(path), "--catalog", catalog],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LOGLEVEL": "DEBUG"},
    )
    content = json.loads(path.read_text())
    secrets = [
        settings["client_secret"],
        settings["refresh_token"],
        content["refresh_token"],
        content["access_token"],
    ]
    assert all(secret not in done.stdout + done.stderr for secret in secrets)
    assert "fasttrack" not in done.stdout
    assert all(json.loads(line)["type"] for line in done.stdout.splitlines())


def fault_fired(sandbox: Sandbox, client_id: str) -> bool:
    faults = requests.get(f"{sandbox.url}/_sandbox/faults", timeout=5).json()["faults"]
    return any(fault["fired"] for fault in faults if fault["client_id"] == client_id)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_during_a_refresh_does_not_lose_the_token(
    tap: Any, tmp_path: Path, sandbox: Sandbox, signum: int, times: int
) -> None:
    settings = sandbox.config()
    sandbox.faults("latency", client_id=settings["client_id"], path="*/oauth/token", seconds=1)
    path = written(tmp_path / "config.json", settings)
    catalog = written(tmp_path / "catalog.json", catalog_of("identity"))
    process = subprocess.Popen(
        [*TAP, "--config", path], stderr=subprocess.PIPE, text=True, env=unmeasured()
    )
    try:
        deadline = time.monotonic() + 30
        while not fault_fired(sandbox, settings["client_id"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        for _ in range(times):
            process.send_signal(signum)
            time.sleep(0.05)
        process.communicate(timeout=30)
    finally:
        process.kill()
        sandbox.faults_clear()
    assert process.returncode == 128 + signum
    assert tap("--config", path, "--catalog", catalog)[0] == 0
    stats = sandbox.stats(settings["client_id"])
    assert (stats["refreshes"], stats["spent_refresh_tokens"]) == (1, 0)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_run_flushes_its_state_and_is_no_success(
    tmp_path: Path, sandbox: Sandbox, signum: int, status: int
) -> None:
    settings = sandbox.config()
    sandbox.faults("latency", client_id=settings["client_id"], path="*/payments/*", seconds=60)
    catalog = written(tmp_path / "catalog.json", catalog_of("invoices", "payments"))
    path = written(tmp_path / "config.json", {**settings, "requests_per_second": 1000})
    output = tmp_path / "output.jsonl"
    with output.open("w") as file:
        process = subprocess.Popen(
            [*TAP, "--config", path, "--catalog", catalog],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=unmeasured(),
        )
    try:
        deadline = time.monotonic() + 30
        while not fault_fired(sandbox, settings["client_id"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signum)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        sandbox.faults_clear()
    assert process.returncode == status
    assert err.splitlines()[-1] == "Error: interrupted; the state so far is written"
    last = json.loads(output.read_text().splitlines()[-1])
    assert last["type"] == "STATE"
    assert len(last["value"]["bookmarks"]["invoices"]["partitions"]) == 2


def waiting_in(pipe: IO[str]) -> int:
    """How many bytes wait in a pipe."""
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def test_a_message_is_written_whole_before_a_signal_ends_the_run(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = sandbox.config()
    catalog = written(tmp_path / "catalog.json", catalog_of("invoices"))
    path = written(tmp_path / "config.json", {**settings, "requests_per_second": 1000})
    with subprocess.Popen(
        [*TAP, "--config", path, "--catalog", catalog],
        stdout=subprocess.PIPE,
        text=True,
        env=unmeasured(),
    ) as process:
        assert process.stdout is not None
        assert "SCHEMA" in process.stdout.readline()
        waiting = -1
        while waiting != waiting_in(process.stdout) or waiting < 30_000:
            waiting = waiting_in(process.stdout)
            assert process.poll() is None
            time.sleep(0.1)
        # The pipe is full, so the tap waits in the middle of a record.
        process.send_signal(signal.SIGTERM)
        lines = process.stdout.readlines()
    assert process.returncode == 143
    assert [json.loads(line)["type"] for line in lines][-1] == "STATE"
    assert len(lines) < 160


def test_a_target_that_goes_away_is_a_failure_with_a_sentence(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = written(tmp_path / "config.json", {**sandbox.config(), "requests_per_second": 1000})
    process = subprocess.Popen(
        [*TAP, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert (
        err.splitlines()[-1]
        == "Error: what reads standard output, a target say, closed it before the end"
    )
