"""Those that the tap is measured with: how each is started."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from benchmarks import venvs
from benchmarks.contestant import TOKEN, Contestant, Job

if TYPE_CHECKING:
    from benchmarks.measure import Run

SCRIPTS = venvs.HERE / "contestants"


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
    def remember(self, job: Job) -> None:
        states = {}
        with job.output.open("rb") as lines:
            for message in (json.loads(line) for line in lines if b'"STATE"' in line):
                if message["type"] == "STATE":
                    descriptor = message["state"]["stream"]["stream_descriptor"]
                    states[descriptor["name"]] = message["state"]
        job.write("state.json", list(states.values()))


class AirbyteLists(Airbyte):
    """Airbyte's CDK with a manifest that the job's settings hold."""

    name = "airbyte-lists"
    label = "Airbyte CDK, several streams"

    @override
    def command(self, job: Job) -> list[str]:
        settings = dict(job.settings)
        manifest, incremental = settings.pop("manifest"), settings.pop("incremental")
        streams = []
        for stream in manifest["streams"]:
            mode = "incremental" if stream["name"] in incremental else "full_refresh"
            described = {
                "name": stream["name"],
                "json_schema": {"type": "object", "properties": {}},
                "supported_sync_modes": ["full_refresh", "incremental"],
            }
            streams.append(
                {"stream": described, "sync_mode": mode, "destination_sync_mode": "append"}
            )
        return [
            *(venvs.script("airbyte", "source-declarative-manifest"), "read"),
            *("--config", job.write("config.json", settings)),
            *("--catalog", job.write("catalog.json", {"streams": streams})),
            *("--manifest-path", job.write("manifest.yaml", manifest)),
            *job.states(),
        ]


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
        at_once = str(job.settings.get("max_concurrency", 1))
        arguments = [job.stage.url, job.stage.account, at_once]
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
