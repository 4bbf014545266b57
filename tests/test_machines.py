"""Machines whose standard streams, files or log settings are not what a program expects."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_freshbooks import cli, input_files, standard_streams
from tap_freshbooks.errors import OutputClosedError, RunInterruptedError, meaning_of
from tap_freshbooks.input_files import read_file
from tap_freshbooks.oauth.stores import fallback
from tests.support import catalog_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

DEAD = "0" * 64

READ_BY_MELTANO = {"level", "pid", "logger_name", "ts", "thread_name", "app_name", "message"}
"""What a line of JSON needs for Meltano to take its level (`SingerSDKLogParser`)."""

STREAMS = {"closed": "{}>&-", "full": "{}>/dev/full", "a broken pipe": "{}> >(:)"}
"""What a shell makes of a standard stream."""


def in_shell(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run what a shell runs; `tap` is the command line."""
    tap = f'tap() {{ "{sys.executable}" -m tap_freshbooks "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", tap + text],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class TestErrors:
    """Exit statuses hold, whatever becomes of stderr."""

    @pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
    def test_a_sentence_that_cannot_be_told_changes_no_status(
        self, tmp_path: Path, stream: str
    ) -> None:
        done = in_shell(f"tap statsu {stream.format(2)}", tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")

    def test_a_sync_needs_no_stderr(self, tmp_path: Path, config: dict[str, Any]) -> None:
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text(json.dumps(catalog_of("taxes")))
        sync = "tap --config config.json --catalog catalog.json 2>&-"
        done = in_shell(sync, tmp_path)
        assert done.returncode == 0
        assert json.loads(done.stdout.splitlines()[-1])["type"] == "STATE"

    @pytest.mark.parametrize("mode", ["full", "broken", "read-only"])
    def test_whatever_is_written_there_is_gone_without_an_error(self, mode: str) -> None:
        with opened(mode) as descriptor:
            errors = standard_streams._text(standard_streams._Errors(descriptor), None)
            handler = logging.StreamHandler(errors)
            handler.handleError = pytest.fail  # type: ignore[assignment, method-assign]
            handler.handle(logging.makeLogRecord({"msg": "a line"}))
            errors.write("another " * 5_000)
            errors.flush()

    def test_a_pipe_that_nobody_reads_is_waited_for_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standard_streams, "PATIENCE", 0.2)
        reader, writer = os.pipe()
        errors = standard_streams._text(standard_streams._Errors(writer), None)
        began = time.monotonic()
        for _ in range(100):
            errors.write("a long line " * 1_000 + "\n")
        assert 0.2 <= time.monotonic() - began < 2
        while select.select((reader,), (), (), 0)[0]:
            os.read(reader, 65_536)
        errors.write("and somebody is there again\n")
        assert os.read(reader, 65_536).endswith(b"and somebody is there again\n")
        errors.close()
        for descriptor in (reader, writer):
            os.close(descriptor)


class TestOutput:
    """What cannot be written to stdout is a sentence, and a failure."""

    def test_of_a_command(self, tmp_path: Path) -> None:
        done = in_shell("tap sandbox --help >/dev/full", tmp_path)
        sentence = "Error: standard output cannot be written: No space left on device\n"
        assert (done.returncode, done.stderr) == (1, sentence)

    @pytest.mark.parametrize(
        ("mode", "reason"),
        [
            ("full", "standard output cannot be written: No space left on device"),
            ("broken", "what reads standard output, a target say, closed it before the end"),
            ("read-only", "standard output cannot be written: it is closed"),
        ],
    )
    def test_it_is_told_once_and_then_nothing_is_written_any_more(
        self, monkeypatch: pytest.MonkeyPatch, mode: str, reason: str
    ) -> None:
        with opened(mode) as descriptor:
            output = standard_streams._text(standard_streams._Output(descriptor), None)
            monkeypatch.setattr(sys, "stdout", output)
            output.write("text")
            with pytest.raises(OutputClosedError, match=reason):
                output.flush()
            standard_streams.end_output()
            output.close()

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), RunInterruptedError(signal.SIGINT)])
    def test_what_an_interrupted_command_still_holds_is_dropped(
        self, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        """Otherwise it would wait for whoever does not read it, and a signal would end nothing."""

        def interrupted(*_: Any, **_options: Any) -> None:
            sys.stdout.write("the beginning of a table")
            raise error

        monkeypatch.setattr(cli.CommandLine, "main", interrupted)
        reader, writer = os.pipe()
        with monkeypatch.context() as patch:
            text = standard_streams._text(standard_streams._Output(writer), None)
            patch.setattr(sys, "stdout", text)
            assert cli.run(["status"]) == 130
            standard_streams.end_output()
            text.close()
        os.close(writer)
        assert os.read(reader, 100) == b""
        os.close(reader)

    def test_a_pipe_that_does_not_block_is_waited_for(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        text = "x" * 500_000
        output = standard_streams._text(standard_streams._Output(writer), None)
        received = bytearray()

        def receive() -> None:
            while len(received) < len(text) and (part := os.read(reader, 65_536)):
                received.extend(part)

        thread = threading.Thread(target=receive)
        thread.start()
        output.write(text)
        output.flush()
        thread.join()
        os.close(reader)
        os.close(writer)
        assert received.decode() == text

    def test_a_character_that_an_encoding_lacks_stays_json(self) -> None:
        raw = io.BytesIO()
        text = "Zoë \N{EURO SIGN} \N{GRINNING FACE} \ud800"
        with io.TextIOWrapper(raw, encoding="ascii", errors=standard_streams.ESCAPED) as stream:
            stream.write(json.dumps(text, ensure_ascii=False))
            stream.flush()
            assert json.loads(raw.getvalue()) == text


class opened:  # noqa: N801 - a context manager
    """A descriptor that cannot be written."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def __enter__(self) -> int:
        if self.mode == "broken":
            reader, self.descriptor = os.pipe()
            os.close(reader)
        else:
            flags = os.O_WRONLY if self.mode == "full" else os.O_RDONLY
            self.descriptor = os.open("/dev/full", flags)
        return self.descriptor

    def __exit__(self, *_error: object) -> None:
        os.close(self.descriptor)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def listening(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    return folder / "socket"


def looping(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def directory(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


def dangling(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "missing" / "file")
    return folder / "link"


PLACES: dict[str, Callable[[Path], Path]] = {
    "/dev/full": lambda _: Path("/dev/full"),
    "/dev/null": lambda _: Path("/dev/null"),
    "a pipe": fifo,
    "a socket": listening,
    "a directory": directory,
    "a loop": looping,
    "below /proc": lambda _: Path("/proc/nowhere/file"),
    "in /proc": lambda _: Path("/proc/version"),
    "below a file": lambda folder: Path(__file__, folder.name),
}
"""Places that are no good for a file that the tap writes."""


class TestOddFiles:
    """A file that is none ends a command with a sentence, and in time."""

    @pytest.fixture
    def run(
        self, command: Command, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Callable[..., tuple[int, str]]]:
        monkeypatch.setattr(input_files, "WRITER_TIMEOUT", 0.05)
        monkeypatch.setattr(input_files, "LARGEST", 100_000)
        settings = {**sandbox.config(), "token_store": str(tmp_path / "tokens.json")}
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(catalog_of("taxes")))
        devices = {name: Path(name).stat() for name in ("/dev/full", "/dev/null")}

        def run(*options: str, **changes: Any) -> tuple[int, str]:
            config = tmp_path / "config.json"
            config.write_text(json.dumps({**settings, **changes}))
            given = options if "--config" in options else (*options, "--config", str(config))
            status, _, errors = command("--catalog", str(catalog), *given)
            assert "unexpected" not in errors
            return status, [*errors.splitlines(), ""][-2]

        yield run
        for name, before in devices.items():
            assert Path(name).stat()[:2] == before[:2]  # their mode and their inode

    @pytest.mark.parametrize("setting", ["token_store", "sqlite token_store", "webhook_inbox"])
    @pytest.mark.parametrize("place", PLACES)
    def test_as_a_store(
        self, run: Callable[..., tuple[int, str]], tmp_path: Path, place: str, setting: str
    ) -> None:
        path = str(PLACES[place](tmp_path))
        prefix, _, name = setting.rpartition(" ")
        status, sentence = run(**{name: f"{prefix}:///{path}" if prefix else path})
        assert status == (2 if place == "a loop" else 1)
        assert sentence.startswith("Error: the ")
        assert path in sentence
        if place in {"/dev/full", "/dev/null", "a pipe", "a socket"}:
            assert re.search("no (regular )?file", sentence)

    @pytest.mark.parametrize("prefix", ["", "sqlite:///"])
    def test_what_is_open_and_has_no_path_is_no_store(
        self, run: Callable[..., tuple[int, str]], prefix: str
    ) -> None:
        ends = os.pipe()
        path = f"/dev/fd/{ends[1]}"
        status, sentence = run(token_store=prefix + path)
        for each in ends:
            os.close(each)
        assert status == 1
        assert path in sentence
        assert re.search("no (regular )?file", sentence)

    @pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
    @pytest.mark.parametrize(
        "place", [name for name in PLACES if name != "/dev/null"] + ["a dangling link"]
    )
    def test_as_a_file_that_is_read(
        self, run: Callable[..., tuple[int, str]], tmp_path: Path, place: str, option: str
    ) -> None:
        path = {**PLACES, "a dangling link": dangling}[place](tmp_path)
        status, sentence = run(option, str(path))
        assert status == 2
        assert sentence.startswith("Error: ")
        assert option[2:] in sentence or str(path) in sentence

    def test_a_link_to_a_file_that_is_yet_to_be_made_is_followed(
        self, run: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        path = dangling(tmp_path)
        assert run(token_store=str(path))[0] == 0
        assert path.is_symlink()
        assert json.loads(path.read_text())["token_generation"] == 1


class TestPipesWithoutAnEnd:
    """A pipe to which nobody writes, or from which nobody reads, holds no command up."""

    @pytest.fixture
    def pipe(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(input_files, "WRITER_TIMEOUT", 0.05)
        return fifo(tmp_path)

    @pytest.fixture
    def config(self, config: dict[str, Any], tmp_path: Path) -> str:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return str(path)

    def test_of_a_report(self, command: Command, config: str, pipe: Path) -> None:
        status, _, error = command("doctor", "--config", config, "--report", str(pipe))
        assert status == 2
        assert "is a pipe, which would wait for a reader" in error

    def test_of_the_data_of_a_request(self, command: Command, config: str, pipe: Path) -> None:
        write = ("api", "--config", config, "-X", "POST", "--yes", "--data", f"@{pipe}", "/a")
        status, _, error = command(*write)
        assert status == 2
        assert "it is a pipe to which nobody writes" in error

    def test_of_a_mapping(self, command: Command, pipe: Path, tmp_path: Path) -> None:
        pipe.rename(pipe.with_suffix(".yaml"))
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"unified_mappings": str(tmp_path)}))
        status, _, error = command("unified", "--config", str(path))
        assert status == 2
        assert "cannot be read, it is a pipe to which nobody writes" in error

    def test_of_variables(
        self, command: Command, config: str, pipe: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PYTHON_DOTENV_DISABLED")
        monkeypatch.chdir(pipe.parent)
        pipe.rename(pipe.with_name(".env"))
        status, _, error = command("status", "--config", "ENV", "--config", config)
        assert status == 2
        assert ".env cannot be read: it is a pipe to which nobody writes" in error

    def test_of_a_rescue_file(self, pipe: Path) -> None:
        assert fallback._own_content(pipe) == {}


class TestPipes:
    """A pipe to which somebody writes is read to its end, as those of `<(…)` are."""

    def test_whose_writer_is_late_and_slow(self, tmp_path: Path) -> None:
        path = fifo(tmp_path)

        def write() -> None:
            with path.open("w") as file:
                for part in ('{"a":', " 1}"):
                    time.sleep(0.02)
                    file.write(part)
                    file.flush()

        thread = threading.Thread(target=write)
        thread.start()
        assert read_file(path) == b'{"a": 1}'
        thread.join()

    def test_whose_writer_says_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(input_files, "WRITER_TIMEOUT", 0.01)
        monkeypatch.setattr(input_files, "SILENCE_TIMEOUT", 0.01)
        path = fifo(tmp_path)
        writer = os.open(path, os.O_RDWR)
        with pytest.raises(TimeoutError, match="nothing came"):
            read_file(path)
        os.close(writer)


class TestLog:
    """The reason why a command ends stands in the log at level error, with the exit status."""

    @pytest.fixture
    def dead(self, tmp_path: Path, config: dict[str, Any]) -> tuple[str, str]:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**config, "refresh_token": DEAD}))
        return "--config", str(path)

    def test_of_a_run_that_needs_a_new_authorisation(
        self, command: Command, caplog: pytest.LogCaptureFixture, dead: tuple[str, str]
    ) -> None:
        status, _, errors = command(*dead)
        [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
        meaning = "(exit status 3: the account must be authorised again)"
        assert record.getMessage().endswith(meaning)
        assert vars(record)["exit_status"] == status == 3
        *_, logged, last = errors.splitlines()
        assert last.startswith("Error: FreshBooks ")
        assert "| ERROR " in logged
        assert meaning in logged

    def test_of_json_has_it_once_as_meltano_reads_it(
        self,
        command: Command,
        tmp_path: Path,
        dead: tuple[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "x"}
        path = tmp_path / "log.json"
        path.write_text(
            json.dumps(
                {
                    "version": 1,
                    "disable_existing_loggers": False,
                    "formatters": {"x": {"()": "singer_sdk.logging.StructuredFormatter"}},
                    "handlers": {"x": handler},
                    "root": {"level": "INFO", "handlers": ["x"]},
                }
            )
        )
        monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(path))
        for arguments, expected in ((dead, 3), (("--nonsense",), 2)):
            status, _, errors = command(*arguments)
            lines = [json.loads(line) for line in errors.splitlines()]
            [line] = [line for line in lines if line["level"] == "error"]
            assert line.keys() >= READ_BY_MELTANO
            assert line["extra"]["exit_status"] == status == expected
            assert meaning_of(status) in line["message"]

    def test_at_a_terminal_people_read_it_once(
        self, command: Command, dead: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        _, _, errors = command(*dead)
        assert errors.count("spent or revoked") == 1
        assert errors.splitlines()[-1].startswith("Error: FreshBooks ")

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("TAP_FRESHBOOKS_LOGLEVEL", "loud", "names no level"),
            ("LOGLEVEL", "10", "names no level"),
            ("SINGER_SDK_LOG_CONFIG", "/dev/null", "it is a device"),
            ("SINGER_SDK_LOG_CONFIG", sys.executable, "cannot be used"),
            ("SINGER_SDK_LOG_CONFIG", __file__, "cannot be used"),
        ],
    )
    def test_that_cannot_be_set_up_is_a_sentence(
        self,
        command: Command,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        content: str,
        reason: str,
    ) -> None:
        monkeypatch.setenv(name, content)
        status, _, errors = command("--version")
        assert status == 2
        assert name in errors
        assert reason in errors

    def test_that_cannot_be_written_changes_no_status(
        self, command: Command, dead: tuple[str, str]
    ) -> None:
        class Broken(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if record.levelno == logging.ERROR:
                    raise ZeroDivisionError

        logging.root.addHandler(Broken())
        status, _, errors = command(*dead)
        assert (status, errors.splitlines()[-1][:18]) == (3, "Error: FreshBooks ")
