"""Runs the tap against hostile answers as a user would, and judges what it leaves behind."""

from __future__ import annotations

import json
import logging
import re
import time
import unicodedata
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conftest import settings_for
from tests.support import catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command

MOMENTS = ("_sdc_extracted_at", "read_at")
"""Fields that differ from run to run."""

LONGEST = 20.0
"""Seconds that any run may take on a busy machine; one that hangs takes for ever."""

LARGEST_INTEGER = 2**63 - 1
"""That fits a column of PostgreSQL."""

MOST_DIGITS = 131_072
"""Before the point of a `numeric` of PostgreSQL; there may be 16,383 behind it."""


class Place(NamedTuple):
    """Where a hostile answer stands, and what it may cost.

    Attributes:
        path: Of the requests, with the identifiers of a business.
        stream: The stream that asks; empty where that is the connection.
        consumers: Streams that are made of it, itself included.
    """

    path: str
    stream: str = ""
    consumers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    status: int
    output: str
    errors: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        # Not splitlines, which would also split at U+2028, within a text.
        lines = [line for line in self.output.split("\n") if line]
        return [json.loads(line, parse_float=Decimal) for line in lines]

    @cached_property
    def state(self) -> dict[str, Any]:
        """The last state."""
        states = [each["value"] for each in self.messages if each["type"] == "STATE"]
        return states[-1] if states else {}

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        return {
            each["stream"]: each["schema"] for each in self.messages if each["type"] == "SCHEMA"
        }

    @cached_property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        records = defaultdict(list)
        for each in self.messages:
            if each["type"] == "RECORD":
                records[each["stream"]].append(each["record"])
        return records

    @cached_property
    def activated(self) -> set[str]:
        """The streams of which a version was activated."""
        return {each["stream"] for each in self.messages if each["type"] == "ACTIVATE_VERSION"}

    def rows(self, stream: str, without: AbstractSet[str] = frozenset()) -> list[str]:
        """The records of a stream as texts, in an order of their own.

        Args:
            stream: Its name.
            without: Identifiers of a business whose rows are left out.
        """
        return sorted(
            json.dumps(
                {k: v for k, v in row.items() if k not in MOMENTS}, default=str, sort_keys=True
            )
            for row in self.records[stream]
            if without.isdisjoint(str(each) for each in row.values())
        )

    def bookmarks(self, stream: str) -> dict[str, bool]:
        """Whether a stream has one, for each of its partitions."""
        state = self.state["bookmarks"].get(stream, {})
        partitions = state.get("partitions", [{"context": {"": ""}, **state}])
        return {
            str(next(iter(each["context"].values()))): "replication_key_value" in each
            for each in partitions
        }

    @property
    def failures(self) -> list[str]:
        """What was said of the streams that failed."""
        return re.findall(r"\| Failed: (.*)", self.errors)

    @property
    def sentence(self) -> str:
        """The last word."""
        return self.errors.rpartition("Error: ")[2]


@dataclass
class Book:
    """A sandbox, what an undisturbed run reads of it, and the means to disturb one."""

    sandbox: Sandbox
    folder: Path
    streams: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    @cached_property
    def business(self) -> dict[str, Any]:
        """The business whose answers are hostile."""
        business: dict[str, Any] = self.sandbox.businesses()[0]
        return business

    @property
    def named(self) -> str:
        """How messages call this business."""
        return f"{self.business['name']} (business {self.business['id']})"

    @cached_property
    def catalog(self) -> Path:
        file = self.folder / "catalog.json"
        file.write_text(json.dumps(catalog_of(*self.streams)))
        return file

    @contextmanager
    def fault(self, path: str, **settings: Any) -> Iterator[None]:
        """Let requests of this path be answered otherwise inside the block."""
        self.sandbox.faults("answer", path=path.format(**self.business), **settings)
        try:
            yield
        finally:
            self.sandbox.faults_clear()

    def config(self, **more: Any) -> dict[str, Any]:
        """Settings of a fresh connection."""
        self.runs += 1
        folder = self.folder / str(self.runs)
        folder.mkdir()
        return {**settings_for(self.sandbox, folder), **self.settings, **more}

    def sync(self, command: Command, config: dict[str, Any], *options: str) -> Run:
        """Run the tap, within bounds of time."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(config))
        began = time.monotonic()
        with bare_logging():
            run = Run(*command("--config", str(file), "--catalog", str(self.catalog), *options))
        assert time.monotonic() - began < LONGEST
        check_texts(run, config)
        check_records(run)
        return run


@contextmanager
def bare_logging() -> Iterator[None]:
    """Take back the handler that a run adds: the lines of the next would come twice."""
    handlers = logging.root.handlers[:]
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers


def check_texts(run: Run, config: dict[str, Any]) -> None:
    """What people read has no control sequences, no secrets and nothing unforeseen."""
    for character in run.errors.replace("\n", ""):
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs"}, repr(run.errors)
    assert "unexpected" not in run.errors
    for name in ("client_secret", "refresh_token"):
        assert config[name] not in run.errors + run.output


def check_records(run: Run) -> None:
    """Each record is of its schema, and PostgreSQL takes its values."""
    for stream, records in run.records.items():
        for record in records:
            check_value(run.schemas[stream], record, stream)


def check_value(schema: dict[str, Any], value: Any, path: str) -> None:
    """A value is one of those that its schema allows, and within what databases take."""
    kinds = schema.get("type", [])
    if value is None:
        assert "null" in kinds, path
    elif isinstance(value, dict):
        assert "object" in kinds, path
        for name, each in value.items():
            assert "\0" not in name, path
            properties = schema.get("properties")
            inner = properties[name] if properties else free(each)
            check_value(inner, each, f"{path}.{name}")
    elif isinstance(value, list):
        assert "array" in kinds, path
        for each in value:
            check_value(schema.get("items") or free(each), each, path)
    elif isinstance(value, bool):
        assert "boolean" in kinds, path
    elif isinstance(value, int | Decimal):
        assert "integer" in kinds or "number" in kinds, path
        if isinstance(value, int) and "integer" in kinds:
            assert abs(value) <= LARGEST_INTEGER, path
    else:
        assert "string" in kinds, path
        check_text(schema.get("format"), value, path)


def free(value: Any) -> dict[str, Any]:
    """A schema for a value whose kind is not declared."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean"}
    return {"type": [kinds.get(type(value), "number"), "null"]}


def check_text(form: str | None, text: str, path: str) -> None:
    """A text is what its format says, and one that PostgreSQL stores."""
    assert "\0" not in text, path
    text.encode()
    if form == "x-singer.decimal":
        number = Decimal(text)
        assert number.is_finite(), path
        assert number.adjusted() < MOST_DIGITS, path
        assert len(text) < MOST_DIGITS, path
    elif form == "date":
        date.fromisoformat(text)
    elif form == "date-time":
        datetime.fromisoformat(text)
