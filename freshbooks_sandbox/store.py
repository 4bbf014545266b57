"""The businesses and their tables: plain rows in memory, and what is derived from them.

A row holds only what differs from its resource's blank record; whatever can be computed (views,
indexes, encoded records) is cached until the next change in that business.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from freshbooks_sandbox.behaviours import Behaviours

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import date

Row = dict[str, Any]
Key = int | str
T = TypeVar("T")


@dataclass(frozen=True)
class Change:
    """A write: `verb` was done to `row` of `resource`; `is_caused` where another was written."""

    resource: str
    verb: str
    row: Row
    is_caused: bool = False


@dataclass
class Business:
    """One business as the token's owner meets it, with all of its rows."""

    id: int
    uuid: str
    name: str
    account_id: str | None
    membership_id: int | None
    role: str
    timezone: str
    currency: str
    profile: dict[str, Any]
    client_id: int | None = None
    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)
    behaviours: Behaviours = field(default_factory=Behaviours)
    today: date | None = None
    encoded_bytes: int = 0
    listener: Callable[[Business, Change], None] | None = None
    _derived: dict[Hashable, Any] = field(default_factory=dict)
    _highest: dict[str, int] = field(default_factory=dict)

    def table(self, name: str) -> dict[Key, Row]:
        """All rows of a resource by key, deleted ones included."""
        return self.tables.setdefault(name, {})

    def add(self, name: str, row: Row, key: str = "id") -> Row:
        """Put a row into its table."""
        self.table(name)[row[key]] = row
        if name in self._highest and isinstance(row[key], int):
            self._highest[name] = max(self._highest[name], row[key])
        return row

    def cached(self, key: Hashable, build: Callable[[], T]) -> T:
        """Build once until the next change."""
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = build()
        kept: T = found
        return kept

    def changed(self) -> None:
        """Forget everything derived."""
        self._derived.clear()
        self.encoded_bytes = 0

    def notify(self, resource: str, verb: str, row: Row, *, is_caused: bool = False) -> None:
        """Notify the listener of a write, once it is done."""
        if self.listener is not None:
            self.listener(self, Change(resource, verb, row, is_caused))

    def at(self, today: date) -> None:
        """Set the day: a new one may have made invoices overdue."""
        if today != self.today:
            self.today = today
            self.changed()

    def index(self, name: str, column: str) -> dict[Any, list[Row]]:
        """The rows of a resource grouped by the value of a column."""

        def build() -> dict[Any, list[Row]]:
            groups: dict[Any, list[Row]] = {}
            for row in self.table(name).values():
                groups.setdefault(row.get(column), []).append(row)
            return groups

        return self.cached(("index", name, column), build)

    def uuid_of(self, kind: str, key: Key) -> str:
        """The same uuid for the same record, always."""
        seed = f"{self.uuid}/{kind}/{key}".encode()
        digest = hashlib.md5(seed, usedforsecurity=False).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"

    def next_id(self, name: str) -> int:
        """One above the highest integer key that a table ever had."""
        if name not in self._highest:
            keys = (key for key in self.table(name) if isinstance(key, int))
            self._highest[name] = max(keys, default=1000)
        return self._highest[name] + 1


@dataclass
class Store:
    """Every business, found by any of its three identifiers."""

    businesses: list[Business]

    def __post_init__(self) -> None:
        self.by_id = {business.id: business for business in self.businesses}
        self.by_uuid = {business.uuid: business for business in self.businesses}
        self.by_account = {b.account_id: b for b in self.businesses if b.account_id is not None}

    def find(self, name: str) -> Business:
        """By business id, account id, uuid, or position counted from 1.

        Raises:
            KeyError: When nothing of that name exists.
        """
        if name in self.by_account:
            return self.by_account[name]
        if name in self.by_uuid:
            return self.by_uuid[name]
        number = int(name) if name.isdecimal() else -1
        if number in self.by_id:
            return self.by_id[number]
        if 1 <= number <= len(self.businesses):
            return self.businesses[number - 1]
        raise KeyError(name)
