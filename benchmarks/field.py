"""The field: this tap as its users start it, its peers, and the floors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from benchmarks import venvs
from benchmarks.contestant import TOKEN, Contestant, Job
from benchmarks.measure import BenchmarkError, Run, run
from benchmarks.peers import Airbyte, AirbyteLists, DecodeEncode, Dlt, Fetch, SdkDefault

if TYPE_CHECKING:
    from collections.abc import Sequence


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


TAP = Tap("tap", "tap-freshbooks", "invoices")
SDK_DEFAULT, AIRBYTE, DLT = SdkDefault(), Airbyte(), Dlt()
AIRBYTE_LISTS = AirbyteLists()
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
