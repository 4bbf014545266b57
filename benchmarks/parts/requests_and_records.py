"""What a sync asks for and sends again: the books of three businesses, read, read again, changed.

Counts are exact, so each run happens once. Each reader has a sandbox of its own, all of them alike;
after each run the target that its messages make is compared with the books.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks import manifest, venvs
from benchmarks.bench import say
from benchmarks.field import AIRBYTE_LISTS, SDK_DEFAULT, TAP
from benchmarks.lists import lists
from benchmarks.measure import run
from benchmarks.stage import sandbox
from benchmarks.target import Target, differences, is_deleted, outdated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bench import Bench, Part
    from benchmarks.contestant import Contestant, Job
    from benchmarks.lists import List
    from benchmarks.stage import Sandbox
    from benchmarks.target import Key, Row

INVOICES = 120
"""Of the first business; the sandbox's default."""

USUAL = 2
"""Requests for a list of a business that are not named: what changed, and what was deleted."""

INTERVAL = {"full_table_interval": 24}
JOURNAL = "journal_entry_details"
NOTE = "Paid by bank transfer"


@dataclass
class Reader:
    """A contestant, and what it reads of the books.

    Attributes:
        contestant: How it is started.
        lists: Those that it reads and that are compared.
        settings: Its own.
        replaced: The streams whose table each run replaces.
    """

    contestant: Contestant
    lists: Sequence[List]
    settings: Mapping[str, Any]
    replaced: frozenset[str] = frozenset()


@dataclass
class Changes:
    """What is changed in the books, and what a target should show of it."""

    invoice: Row = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)

    def make(self, books: Sandbox) -> None:
        """An invoice edited, an expense and a tax deleted, a journal entry added."""
        self.invoice = books.edit("update", "invoices", which="newest", values={"notes": NOTE})
        for name in ("expenses", "taxes"):
            self.deleted[name] = str(books.edit("delete", name, which="newest")["id"])
        books.edit("create", "journal_entries")

    def noticed(self, target: Target, account: str, run: Part) -> dict[str, bool | None]:
        """By change, whether the target shows it; None where its list is not read."""
        read = {each.name for each in target.lists}
        invoice = target.alive("invoices").get((account, str(self.invoice["id"])), {})
        found: dict[str, bool | None] = {"edit": invoice.get("notes") == NOTE}
        for name, key in self.deleted.items():
            gone = (account, key) not in target.alive(name)
            found[f"{name} deleted"] = gone if name in read else None
        lacking = run["missing"].get(JOURNAL, 0)
        found["journal lines added"] = not lacking if JOURNAL in read else None
        return found


def requests(bench: Bench) -> Part:
    """A first run, one with nothing new, and one after a few changes, of each reader."""
    job = bench.job(TAP, "requests")
    names, settings = _default_streams(job)
    found = lists(names)
    chosen = ["tap", "sdk-default", "sdk-default, all passes", "airbyte", "airbyte, as published"]
    if "full_table_interval" in settings:
        chosen.insert(1, "tap, interval")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: _read_books(bench, name, found), chosen))
    return {
        "streams": len(names),
        "lists": len(found),
        "readers": dict(zip(chosen, done, strict=True)),
    }


def _default_streams(job: Job) -> tuple[list[str], list[str]]:
    """The streams that the tap selects by default, and the names of its settings."""
    path, tap = job.folder / "about.json", venvs.script(venvs.TAP, "tap-freshbooks")
    run([tap, "--about", "--format=json"], folder=job.folder, keep=path)
    settings = list(json.loads(path.read_text("utf-8"))["settings"]["properties"])
    config = job.write("config.json", {"access_token": "bench", "api_url": job.stage.url})
    names = []
    for stream in TAP.discover(job, config)["streams"]:
        selected = [each["metadata"] for each in stream["metadata"] if not each["breadcrumb"]]
        if selected[0].get("selected", selected[0].get("selected-by-default")):
            names.append(stream["tap_stream_id"])
    return names, settings


def _reader(name: str, found: Sequence[List], books: Sandbox) -> Reader:
    """What a reader is, by its name in the results."""
    settings, businesses = books.settings(), books.businesses()
    if name == "tap":
        return Reader(TAP, found, settings)
    if name == "tap, interval":
        return Reader(TAP, found, settings | INTERVAL)
    own = {key: settings[key] for key in ("access_token", "api_url")}
    if name.startswith("sdk-default"):
        passes = 1 if name == "sdk-default" else None
        described = [each.plain(passes) for each in found]
        read: dict[str, Any] = {"lists": described, "businesses": businesses}
        return Reader(SDK_DEFAULT, found, {**own, **read, "emit_activate_version_messages": True})
    published = name == "airbyte, as published"
    few = [each for each in found if each.name in manifest.STREAMS]
    incremental = manifest.incremental(few, published=published)
    read = {
        "manifest": manifest.manifest(few, published=published),
        "incremental": list(incremental),
        "account_ids": [each["account_id"] for each in businesses if each["account_id"]],
        "business_uuids": [each["business_uuid"] for each in businesses if each["account_id"]],
    }
    return Reader(AIRBYTE_LISTS, few, own | read, frozenset(manifest.NAMES) - incremental)


def _read_books(bench: Bench, name: str, found: Sequence[List]) -> Part:
    """All runs of one reader."""
    folder = bench.folder / "books" / name
    folder.mkdir(parents=True, exist_ok=True)
    with sandbox(folder, INVOICES) as books:
        reader = _reader(name, found, books)
        purpose = f"books of {name}"
        wanted = {"incremental": True, "everything": True, "settings": reader.settings}
        job = bench.job(reader.contestant, purpose, **wanted)
        job.state.unlink(missing_ok=True)
        target = Target(reader.lists, reader.replaced)
        runs = {each: _run(reader, job, books, target) for each in ("first", "idle")}
        account = books.businesses()[0]["account_id"]
        changes = Changes()
        changes.make(books)
        runs["changed"] = _run(reader, job, books, target)
        afresh = Target(reader.lists, reader.replaced)
        again = bench.job(reader.contestant, f"{purpose}, afresh", **wanted)
        again.state.unlink(missing_ok=True)
        _run(reader, again, books, afresh)
        noticed = changes.noticed(target, account, runs["changed"])
    for each, numbers in runs.items():
        say(f"  {name}, {each}: {numbers['requests']} requests, {numbers['records']} records")
    old = outdated(target, afresh)
    return {"lists": len(reader.lists), "runs": runs, "noticed": noticed, "outdated": old}


def _run(reader: Reader, job: Job, books: Sandbox, target: Target) -> Part:
    """A run, and how its target differs from the books afterwards."""
    reader.contestant.command(job)
    books.clear()
    done = reader.contestant.run(job, keep=True)
    counts = books.counts()
    target.load(job.output)
    reader.contestant.remember(job)
    log = (job.folder / "stderr.log").read_bytes()
    return {
        **done.numbers(),
        "requests": counts["requests"],
        "busiest": {path: asked for path, asked in counts["paths"].items() if asked > USUAL},
        "log_lines": log.count(b"\n"),
        **differences(target, _books(books, reader.lists)).numbers(),
    }


def _books(books: Sandbox, read: Sequence[List]) -> dict[str, dict[Key, Row]]:
    """The rows that there are, deleted ones aside."""
    found: dict[str, dict[Key, Row]] = {each.name: {} for each in read}
    for business in books.businesses():
        identifiers = business | {"business_id": business["id"]}
        for each in read:
            owner = identifiers[each.identifier]
            for row in books.truth(each.name, business["id"]) if owner else ():
                if not is_deleted(each.name, row):
                    found[each.name][str(owner), str(row[each.key])] = row
    return found
