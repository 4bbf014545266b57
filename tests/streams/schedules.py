"""Lists that move while they are read: the books, schedules of edits, and what a read made of them.

Every edit gives its row a marker that is higher than all before, so that an older content of a row
can be told from a newer one.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from tests.support import sync

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Messages, Record

PAGE = 15
"""Rows that the sandbox puts on a page, however many are asked for."""

OLD, NEW, TOUCHED, GONE = 80, 70, 20, 10
"""Rows created long ago, and since the last run; old ones edited since then, and deleted before."""

WORDS = ("Anvil", "Bellows", "Chisel", "Dowel", "File", "Lathe", "Mallet", "Plane", "Rasp", "Vise")


@dataclass(frozen=True)
class EditedList:
    """A stream, its list, and how its rows are edited.

    Attributes:
        stream: Its name, and that of the sandbox's resource.
        path: A part of the list's path that is in no other one.
        text: The field that takes the marker.
        key: What tells a row from the others of a business.
        whole: What each edit has to repeat.
        place: The field that says where in the list a row is, if it can be edited.
        restores: Whether a deleted row can come back in such a way that a second run sees it.
    """

    stream: str
    path: str
    text: str
    key: str = "id"
    whole: Mapping[str, Any] = field(default_factory=dict)
    place: str | None = None
    restores: bool = True

    def marked(self, marker: int, random: Random) -> dict[str, Any]:
        """Values of an edit that leaves the row where it is, unless its text says where it is."""
        text = f"marker {marker}"
        return {**self.whole, self.text: f"{_word(random)} {text}" if self._is_placed else text}

    def moved(self, marker: int, random: Random) -> dict[str, Any]:
        """Values of an edit that moves the row, or of a new row at some place of the list."""
        values = self.marked(marker, random)
        if self.place == "date":
            day = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=random.randrange(1_400))
            values["date"] = day.date().isoformat()
        elif self.place == "name":
            values["name"] = _word(random)
        return values

    def marker(self, row: Mapping[str, Any]) -> int:
        """Of a record, or of a row of the sandbox."""
        found = re.search(r"marker (\d+)$", str(row[self.text]))
        return int(found[1]) if found else 0

    @property
    def _is_placed(self) -> bool:
        return self.place == self.text


def _word(random: Random) -> str:
    return f"{random.choice(WORDS)} {random.choice(WORDS)}"


LOGGED = {"is_logged": True, "started_at": "2026-01-05T10:00:00Z", "duration": 600}

LISTS = (
    EditedList("payments", "/payments/payments", "note"),
    EditedList("credit_notes", "/credit_notes/credit_notes", "notes"),
    EditedList("expenses", "/expenses/expenses", "notes", place="date"),
    EditedList("clients", "/users/clients", "note"),
    EditedList("invoices", "/invoices/invoices", "notes"),
    EditedList("projects", "/projects/business/", "description", whole={"title": "A project"}),
    EditedList("time_entries", "/timetracking/business/", "note", whole=LOGGED),
    EditedList("items", "/items/items", "description"),
    EditedList("tasks", "/projects/tasks", "description", place="name"),
    EditedList(
        "other_incomes",
        "/other_incomes/other_incomes",
        "note",
        key="incomeid",
        restores=False,  # neither the deletion nor the return moves the timestamp
    ),
    EditedList("expense_categories", "/expenses/categories", "category", place="category"),
)
BY_NAME = {listed.stream: listed for listed in LISTS}


@dataclass(frozen=True)
class Edit:
    """An edit of one row, made by the sandbox at one of the requests for the list."""

    nth: int
    """Which request, from 0; -1 for each."""
    when: str
    action: str
    which: int | str = "newest"
    """Its key, `newest`, `oldest`, or `top`: the first of the list."""
    values: Mapping[str, Any] = field(default_factory=dict)

    def order(self, sandbox: Sandbox, listed: EditedList, client_id: str) -> None:
        """Let the sandbox do it."""
        each = self.nth < 0
        sandbox.faults(
            "change",
            action=self.action,
            resource=listed.stream,
            which=self.which,
            values=dict(self.values),
            when=self.when,
            path=listed.path,
            method="GET",
            client_id=client_id,
            skip=0 if each else self.nth,
            times=None if each else 1,
        )


@dataclass(frozen=True)
class Standing:
    """A row as it stands."""

    marker: int
    is_deleted: bool


Table = dict[int, Standing]


@dataclass(frozen=True)
class Prepared:
    """The books of one stream at the begin of a first and of a second run."""

    at_first: bytes
    state: dict[str, Any]
    """After a quiet first run."""
    delivered: tuple[Record, ...]
    """By that run."""
    before: Table
    """What it saw."""
    at_second: bytes


class Books:
    """A sandbox whose first business can be put back to what it was.

    Args:
        sandbox: With pages of `PAGE` rows.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.business = sandbox.state.store.businesses[0]
        self._origin = pickle.dumps(self.business.tables)
        self._prepared: dict[str, Prepared] = {}
        self._connections = 0

    def put_back(self, books: bytes) -> None:
        """Let all rows be as they were."""
        self.sandbox.faults_clear()
        self.business.tables = pickle.loads(books)  # noqa: S301 - written above
        self.business.changed()

    def config(self, folder: Path) -> dict[str, Any]:
        """Settings of a new connection that reads the first business, ahead."""
        self._connections += 1
        return {
            **self.sandbox.config(),
            "token_store": str(folder / f"tokens-{self._connections}.json"),
            "business_ids": [self.business.id],
            "max_concurrency": 4,
        }

    def table(self, listed: EditedList) -> Table:
        """All rows, deleted ones included."""
        return {
            row[listed.key]: Standing(
                listed.marker(row), row.get("vis_state") == 1 or row.get("active") is False
            )
            for row in self.sandbox.truth(listed.stream)
        }

    def prepared(self, listed: EditedList, folder: Path) -> Prepared:
        """Books with several pages of old rows, and with as many of rows that are news."""
        if listed.stream not in self._prepared:
            self._prepared[listed.stream] = self._prepare(listed, folder)
        return self._prepared[listed.stream]

    def _prepare(self, listed: EditedList, folder: Path) -> Prepared:
        random = Random(listed.stream)  # noqa: S311 - reproducible
        sandbox, name = self.sandbox, listed.stream
        self.put_back(self._origin)
        long_ago = datetime.now(UTC) - timedelta(days=40)
        sandbox.clock(now=long_ago.isoformat())
        for _ in range(10):
            sandbox.create(name, count=OLD // 10, **self.new_values(listed, 0, random))
        olds = sorted(key for key, row in self.table(listed).items() if not row.is_deleted)
        for key in random.sample(olds, GONE):
            sandbox.delete(name, key)
        sandbox.clock()
        at_first = pickle.dumps(self.business.tables)
        first = sync(self.config(folder), name)
        before = self.table(listed)
        for number in range(10):
            values = self.new_values(listed, 1 + number, random)
            sandbox.create(name, count=NEW // 10, **values)
        living = sorted(key for key, row in before.items() if not row.is_deleted)
        for number, key in enumerate(random.sample(living, TOUCHED)):
            sandbox.update(name, key, **listed.moved(20 + number, random))
        for key in random.sample(living, 3):
            sandbox.delete(name, key)
        at_second = pickle.dumps(self.business.tables)
        delivered = tuple(first.records[name])
        return Prepared(at_first, first.state, delivered, before, at_second)

    def _top(self, listed: EditedList) -> int | str:
        """The row that a whole list begins with."""
        if listed.place is None:
            return "newest"
        living = [row for row in self.sandbox.truth(listed.stream) if row["vis_state"] != 1]
        first = max(living, key=lambda row: (row[listed.place or ""], row[listed.key]))
        return int(first[listed.key])

    def new_values(self, listed: EditedList, marker: int, random: Random) -> dict[str, Any]:
        """Of a row to create."""
        values = listed.moved(marker, random)
        if listed.stream == "payments":
            invoices = self.business.table("invoices").values()
            values["invoiceid"] = next(row["id"] for row in invoices if row["vis_state"] == 0)
        return values

    def little_later(self, listed: EditedList, folder: Path, seed: int) -> bytes:
        """The books at the begin of a second run that finds nothing new, or next to nothing."""
        self.put_back(self.prepared(listed, folder).at_first)
        random = Random(seed)  # noqa: S311 - reproducible
        for number in range(random.randrange(3)):
            living = sorted(key for key, row in self.table(listed).items() if not row.is_deleted)
            if random.random() < 0.5:
                self.sandbox.delete(listed.stream, random.choice(living))
            else:
                self.sandbox.create(listed.stream, **self.new_values(listed, 90 + number, random))
        return pickle.dumps(self.business.tables)

    def read(
        self,
        listed: EditedList,
        edits: Sequence[Edit],
        folder: Path,
        *,
        is_second: bool,
        begin: bytes | None = None,
    ) -> PartitionReader:
        """Read the list while it is edited, as the first or as the second run of a user.

        Args:
            listed: Which list.
            edits: What happens meanwhile.
            folder: For the tokens.
            is_second: Whether it is the second run.
            begin: The books when it begins, unless much has happened since the first one.
        """
        prepared = self.prepared(listed, folder)
        self.put_back(begin or (prepared.at_second if is_second else prepared.at_first))
        before = self.table(listed)
        config = self.config(folder)
        for edit in edits:
            if edit.which == "top":
                edit = replace(edit, which=self._top(listed))  # noqa: PLW2901
            edit.order(self.sandbox, listed, config["client_id"])
        state = prepared.state if is_second else None
        moving = sync(config, listed.stream, state=state)
        self.sandbox.faults_clear()
        return PartitionReader(
            books=self,
            listed=listed,
            config=config,
            known=prepared if is_second else None,
            before=before,
            moving=moving,
            after=self.table(listed),
        )


@dataclass
class PartitionReader:
    """What a run delivered while its list moved, and what it should have."""

    books: Books
    listed: EditedList
    config: dict[str, Any]
    known: Prepared | None
    before: Table
    moving: Messages
    after: Table

    @property
    def records(self) -> list[Record]:
        """What was delivered."""
        return self.moving.records[self.listed.stream]

    @property
    def bookmark(self) -> str | None:
        """Where the run has put it."""
        return bookmark_of(self.moving.state, self.listed.stream)

    @property
    def missed(self) -> set[int]:
        """Rows that existed throughout, are news, and did not come."""
        throughout = {
            key
            for key, row in self.before.items()
            if not row.is_deleted and key in self.after and not self.after[key].is_deleted
        }
        known = self.known.before if self.known and self.known.state else {}
        news = {key for key in throughout if known.get(key) != self.before[key]}
        return news - {record[self.listed.key] for record in self.records}

    @property
    def gone_back(self) -> list[tuple[int, int, int]]:
        """Rows that came with a content older than one that had come before: key, markers."""
        newest: dict[int, int] = {}
        found = []
        for record in self.records:
            key, marker = record[self.listed.key], self.listed.marker(record)
            if marker < newest.get(key, 0):
                found.append((key, newest[key], marker))
            newest[key] = max(marker, newest.get(key, 0))
        return found

    @cached_property
    def wrong_in_the_end(self) -> dict[int, tuple[Standing | None, Standing | None]]:
        """Rows in which a target differs from the books after one more, quiet run."""
        quiet = sync(self.config, self.listed.stream, state=self.moving.state)
        delivered = [*(self.known.delivered if self.known else ()), *self.records]
        target = {
            record[self.listed.key]: Standing(
                self.listed.marker(record), record["_sdc_deleted_at"] is not None
            )
            for record in [*delivered, *quiet.records[self.listed.stream]]
        }
        wrong = {}
        for key in self.after.keys() | target.keys():
            wanted, found = self.after.get(key), target.get(key)
            # A row that nobody has ever delivered may be deleted without a word.
            if wanted != found and not (found is None and wanted and wanted.is_deleted):
                wrong[key] = (wanted, found)
        return wrong


def bookmark_of(state: dict[str, Any], stream: str) -> str | None:
    """The moment in the state from which the only business is read the next time."""
    partitions = state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
    return next((each.get("replication_key_value") for each in partitions), None)


class Schedule:
    """Edits at random moments, the same for the same seed.

    Args:
        seed: Decides on everything.
        books: As they are when the reading begins.
        listed: Which list is read.
    """

    MARKERS = 100
    """Above all markers that the rows have when the reading begins."""

    def __init__(self, seed: int, books: Books, listed: EditedList) -> None:
        self._random = Random(seed)  # noqa: S311 - reproducible
        self._books = books
        self._listed = listed
        self._marker = self.MARKERS
        rows = books.table(listed)
        self._living = sorted((key for key in rows if not rows[key].is_deleted), reverse=True)
        self._deleted = sorted(key for key in rows if rows[key].is_deleted)

    def draw(self) -> list[Edit]:
        """All edits, in the order in which the sandbox will make them."""
        random = self._random
        moments = sorted(
            (random.randrange(14), random.choice((1, 1, 0))) for _ in range(random.randint(1, 6))
        )
        edits = []
        for nth, is_after in moments:
            makers = random.choice(KINDS)
            when = "after" if is_after else "before"
            for maker in makers:
                edits.extend(getattr(self, f"_{maker}")(nth, when))
        return edits

    def _next(self) -> int:
        self._marker += 1
        return self._marker

    def _one(self) -> int:
        """A row that no edit has met yet, near the top of the list rather than far from it."""
        position = int(len(self._living) * self._random.random() ** 2)
        return self._living.pop(position)

    def _deep(self) -> int:
        """The same, far from the top."""
        position = int(len(self._living) * (1 - self._random.random() ** 2 / 2)) - 1
        return self._living.pop(position)

    def _delete(self, nth: int, when: str) -> list[Edit]:
        return [Edit(nth, when, "delete", self._one())]

    def _delete_newest(self, nth: int, when: str) -> list[Edit]:
        return [Edit(nth, when, "delete")]

    def _create(self, nth: int, when: str) -> list[Edit]:
        values = self._books.new_values(self._listed, self._next(), self._random)
        return [Edit(nth, when, "create", values=values)]

    def _update(self, nth: int, when: str) -> list[Edit]:
        values = self._listed.marked(self._next(), self._random)
        return [Edit(nth, when, "update", self._one(), values)]

    def _move(self, nth: int, when: str) -> list[Edit]:
        """In a list of changed rows, an old row comes in at its place."""
        values = self._listed.moved(self._next(), self._random)
        return [Edit(nth, when, "update", self._deep(), values)]

    def _restore(self, nth: int, when: str) -> list[Edit]:
        if not (self._listed.restores and self._deleted):
            return self._move(nth, when)
        if self._listed.stream in {"projects", "time_entries"}:
            return self._move(nth, when)  # they have no vis_state
        key = self._deleted.pop(self._random.randrange(len(self._deleted)))
        return [Edit(nth, when, "update", key, {"vis_state": 0})]


KINDS = (
    ("delete",),
    ("delete_newest",),
    ("delete_newest", "delete", "delete_newest"),
    ("create",),
    ("create", "create", "create"),
    ("update",),
    ("move",),
    ("restore",),
    # Pairs, after which a list is as long as before.
    ("delete_newest", "create"),
    ("delete", "create"),
    ("delete_newest", "move"),
    ("delete", "restore"),
    ("delete_newest", "restore"),
)
