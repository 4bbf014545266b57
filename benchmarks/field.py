"""The contestants: how each is started, and how its records are counted."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from benchmarks import venvs
from benchmarks.measure import BenchmarkError, Run, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.stage import Stage

TOKEN = "bench"  # noqa: S105 - the server looks at no token
SCRIPTS = venvs.HERE / "contestants"


@dataclass
class Job:
    """One thing to do: read the invoices of a stage.

    Attributes:
        stage: The server, and how many records it has.
        folder: For files; of this contestant alone.
        incremental: Whether to read what changed since the state in the folder, if there is one.
        everything: Whether the tap reads all its default streams, not the invoices alone.
        settings: More of them.
    """

    stage: Stage
    folder: Path
    incremental: bool = False
    everything: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def write(self, name: str, content: Any) -> str:
        """Write a JSON file, and say where it is."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    @property
    def output(self) -> Path:
        """The messages of the last run, where they were kept."""
        return self.folder / "output.jsonl"

    @property
    def state(self) -> Path:
        """The state to begin with."""
        return self.folder / "state.json"

    def states(self) -> list[str]:
        """The option that names the state, if there is one."""
        return ["--state", str(self.state)] if self.incremental and self.state.exists() else []


class Contestant:
    """A program that reads all invoices."""

    name: str
    label: str

    def command(self, job: Job) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def environment(self, job: Job) -> dict[str, str]:  # noqa: ARG002
        """Environment variables."""
        return {}

    def state_of(self, message: dict[str, Any]) -> Any:
        """The state that a message holds, as the next run wants it; None if it holds none."""
        return message.get("value") if message.get("type") == "STATE" else None

    def run(self, job: Job, *, keep: bool = False) -> Run:
        """Run it once, and count what it delivered."""
        return run(
            self.command(job),
            folder=job.folder,
            environment=self.environment(job),
            keep=job.output if keep else None,
        )

    def records(self, job: Job, done: Run) -> int | None:
        """How many records it delivered; None if it delivers none by nature."""
        del job
        return done.records

    def identifiers(self, job: Job) -> list[int] | None:
        """The ids that a kept output holds."""
        with job.output.open("rb") as lines:
            messages = [json.loads(line) for line in lines if line.startswith(b"{")]
        records = [each["record"] for each in messages if each["type"] == "RECORD"]
        return [(each.get("data") or each)["id"] for each in records]

    def remember(self, job: Job) -> None:
        """Make the last state of a kept output the state to begin with."""
        with job.output.open("rb") as lines:
            found = [self.state_of(json.loads(line)) for line in lines if b'"STATE"' in line]
        job.write("state.json", [each for each in found if each is not None][-1])


class Tap(Contestant):
    """This tap, as its user starts it.

    Args:
        name: Of the contestant.
        label: What tables call it.
        streams: Those that it reads.
    """

    def __init__(self, name: str, label: str, *streams: str) -> None:
        self.name = name
        self.label = label
        self.streams = streams

    @override
    def command(self, job: Job) -> list[str]:
        settings = {
            "access_token": TOKEN,
            "api_url": job.stage.url,
            "auth_url": job.stage.url,
            "requests_per_second": 1_000_000,
            **job.settings,
        }
        config = job.write("config.json", settings)
        options = ["--config", config, *job.states()]
        if not job.everything:
            catalog = job.folder / "catalog.json"
            if not catalog.exists():
                job.write(catalog.name, only(self.streams, self.discover(job, config)))
            options += ["--catalog", str(catalog)]
        return [venvs.script(venvs.TAP, "tap-freshbooks"), *options]

    @staticmethod
    def discover(job: Job, config: str) -> dict[str, Any]:
        """The catalog as the tap writes it."""
        path = job.folder / "discovered.json"
        command = [venvs.script(venvs.TAP, "tap-freshbooks"), "--config", config, "--discover"]
        run(command, folder=job.folder, keep=path)
        catalog: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return catalog


def only(streams: Sequence[str], catalog: dict[str, Any]) -> dict[str, Any]:
    """A catalog in which nothing but some streams is selected."""
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog


class TapWithLines(Tap):
    """The tap with lines of invoices, of which the stage does not know the number."""

    @override
    def records(self, job: Job, done: Run) -> int | None:
        return None


class SdkDefault(Contestant):
    """A tap that overrides nothing of the SDK's but what it must."""

    name = "sdk-default"
    label = "SDK-default tap"

    @override
    def command(self, job: Job) -> list[str]:
        settings = {
            "access_token": TOKEN,
            "api_url": job.stage.url,
            "account_id": job.stage.account,
            "incremental": job.incremental,
            **job.settings,
        }
        options = ["--config", job.write("config.json", settings), *job.states()]
        return [venvs.python(self.name), str(SCRIPTS / "sdk_default.py"), *options]


class Airbyte(Contestant):
    """Airbyte's CDK with a declarative manifest, by the command that comes with it."""

    name = "airbyte"
    label = "Airbyte CDK"

    @override
    def command(self, job: Job) -> list[str]:
        config = {
            "api_url": job.stage.url,
            "account_id": job.stage.account,
            "access_token": TOKEN,
        }
        stream = {
            "name": "changed_invoices" if job.incremental else "invoices",
            "json_schema": {"type": "object", "properties": {}},
            "supported_sync_modes": ["full_refresh", "incremental"],
        }
        mode = "incremental" if job.incremental else "full_refresh"
        configured = {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"}
        return [
            *(venvs.script(self.name, "source-declarative-manifest"), "read"),
            *("--config", job.write("config.json", config)),
            *("--catalog", job.write("catalog.json", {"streams": [configured]})),
            *("--manifest-path", str(SCRIPTS / "manifest.yaml")),
            *job.states(),
        ]

    @override
    def state_of(self, message: dict[str, Any]) -> Any:
        return [message["state"]] if message.get("type") == "STATE" else None


class Dlt(Contestant):
    """dlt's rest_api source; what it delivers are files, in a folder of its pipeline."""

    name = "dlt"
    label = "dlt, extract and normalise"

    @override
    def command(self, job: Job) -> list[str]:
        folder = job.folder / "pipelines"
        if not job.incremental:
            shutil.rmtree(folder, ignore_errors=True)
        arguments = [job.stage.url, job.stage.account, str(folder)]
        return [venvs.python(self.name), str(SCRIPTS / "dlt_source.py"), *arguments]

    @override
    def environment(self, job: Job) -> dict[str, str]:
        flags = {"BENCH_TOKEN": TOKEN, "RUNTIME__DLTHUB_TELEMETRY": "false"}
        return {**flags, "BENCH_INCREMENTAL": "1"} if job.incremental else flags

    @override
    def records(self, job: Job, done: Run) -> int | None:
        del done
        return sum(1 for _ in self._rows(job))

    @override
    def identifiers(self, job: Job) -> list[int] | None:
        return [json.loads(row)["id"] for row in self._rows(job)]

    @override
    def remember(self, job: Job) -> None:
        shutil.rmtree(job.folder / "pipelines" / "freshbooks" / "load", ignore_errors=True)

    @staticmethod
    def _rows(job: Job) -> Any:
        for path in sorted(job.folder.glob("pipelines/freshbooks/load/**/invoices.*jsonl*")):
            zipped = path.read_bytes()[:2] == b"\x1f\x8b"
            with gzip.open(path, "rb") if zipped else path.open("rb") as lines:
                yield from lines


class Floor(Contestant):
    """The least that a program with requests can do."""

    script: str

    @override
    def command(self, job: Job) -> list[str]:
        arguments = [job.stage.url, job.stage.account, str(job.folder)]
        return [venvs.python("floors"), str(SCRIPTS / self.script), *arguments]

    @override
    def environment(self, job: Job) -> dict[str, str]:
        del job
        return {"BENCH_TOKEN": TOKEN}


class DecodeEncode(Floor):
    """Fetch, decode, encode."""

    name = "decode-encode"
    label = "floor: fetch, decode, encode"
    script = "decode_encode.py"


class Fetch(Floor):
    """Fetch only."""

    name = "fetch"
    label = "floor: fetch only"
    script = "fetch.py"

    @override
    def records(self, job: Job, done: Run) -> int | None:
        return None

    @override
    def identifiers(self, job: Job) -> list[int] | None:
        return None


TAP = Tap("tap", "tap-freshbooks", "invoices")
SDK_DEFAULT, AIRBYTE, DLT = SdkDefault(), Airbyte(), Dlt()
DECODE_ENCODE, FETCH = DecodeEncode(), Fetch()
CONTESTANTS: tuple[Contestant, ...] = (TAP, SDK_DEFAULT, AIRBYTE, DLT, DECODE_ENCODE, FETCH)


MODELS = (
    (TAP, Tap("unified", "`unified_invoices`", "unified_invoices")),
    (
        TapWithLines("tap-lines", "with lines", "invoices", "invoice_lines"),
        TapWithLines(
            "unified-lines",
            "`unified_invoices` and `unified_invoice_lines`",
            *("unified_invoices", "unified_invoice_lines"),
        ),
    ),
)
"""Native streams, and the unified ones that are made of them."""


def check(contestant: Contestant, job: Job, done: Run) -> None:
    """See that a run delivered every record of the stage, and asked for every page.

    Raises:
        BenchmarkError: If it did not: then its figures mean nothing.
    """
    expected = job.stage.records
    records = contestant.records(job, done)
    if records not in {None, expected}:
        raise BenchmarkError(f"{contestant.label} delivered {records} records of {expected}")
    asked = job.stage.counts()["requests"]
    if asked < job.stage.pages:
        raise BenchmarkError(f"{contestant.label} asked for {asked} pages of {job.stage.pages}")
