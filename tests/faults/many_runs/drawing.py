"""Draws sequences at random: the same one for the same seed."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from tap_freshbooks.tap import TapFreshBooks
from tests.faults.many_runs.books import can, is_edited
from tests.faults.many_runs.steps import (
    DAY,
    HOUR,
    Change,
    Disturbance,
    Edit,
    Run,
    Sequence,
    Step,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.streams.base import RecordStream

FOLLOWS = {
    "journal_entry_details": (
        "expenses",
        "invoices",
        "payments",
        "other_incomes",
        "journal_entries",
    ),
    "journal_entry_accounts": ("expenses", "ledger_accounts"),
    "journal_entry_sub_accounts": ("expenses", "ledger_accounts"),
    "chart_of_accounts": ("ledger_accounts", "expenses"),
    "chart_of_sub_accounts": ("ledger_accounts", "expenses"),
    "expense_summaries": ("expenses",),
    "expense_vendors": ("expenses",),
    "billable_items": ("services", "tasks"),
    "time_entry_details": ("time_entries",),
    "invoices": ("payments", "clients"),
    "clients": ("invoices", "payments", "credit_notes"),
    "projects": ("time_entries",),
    "expenses": ("expense_categories",),
    "bills": ("bill_payments", "bill_vendors", "expense_categories"),
    "credit_notes": ("clients", "payments"),
    "service_rates": ("services",),
    "tasks": ("services",),
    "staffs": ("team_members",),
    "team_member_rates": ("team_members",),
}
"""Resources whose edits show in a stream, besides its own."""

NEVER_EDITED = {
    "businesses",
    "identity",
    "ledger_account_types",
    "ledger_account_sub_types",
    "abilities",
}

WAITS = (60, 3 * HOUR, 30 * HOUR, 30 * HOUR, 50 * HOUR, 50 * HOUR, 3 * DAY, 8 * DAY)
"""Seconds; a bookmark looks back for a day, so the longer ones show what was missed."""

BEHAVIOURS: dict[str, tuple[str, ...]] = {
    "updated_day_zone": ("utc",),
    "deleted_projects": ("ignored",),
    "archived_projects": ("shown",),
    "page_cap": ("none",),
    "per_page_echo": ("asked",),
    "past_the_end": ("last",),
    "services_paging": ("ignored",),
    "time_entries_default": ("30",),
    "others_time": ("shown",),
    "running_timers": ("shown",),
    "total": ("visible",),
    "deleted_time": ("ignored",),
    "team_members_per_page": ("30",),
    "inactive_accounts": ("hidden",),
    "inactive_retainers": ("shown",),
    "old_access_token": ("dies",),
    "bad_page": ("first", "400"),
}
OF_RESOURCES = (
    "updated_filter_ignored",
    "deleted_filter_ignored",
    "deleted_unreadable",
    "search_ignored",
    "sort_ignored",
    "oldest_first",
    "page_metadata_missing",
    "totals",
    "default_per_page",
    "utc_timestamps",
)
"""Behaviours of some resources."""


@cache
def streams() -> dict[str, RecordStream]:
    """All streams but reports, which are read by periods."""
    tap = TapFreshBooks(config={}, validate_config=False)
    found: dict[str, Any] = {
        name: stream for name, stream in tap.streams.items() if not name.startswith("report_")
    }
    return found


def sources(name: str) -> list[str]:
    """Streams whose requests feed a stream; itself, unless it is derived."""
    stream = streams()[name]
    parents = [each for each in (stream.parent_stream_type, *stream.additional_parents) if each]
    names = [str(vars(each)["name"]) for each in parents]
    return [source for each in names for source in sources(each)] or [name]


ACTIONS = (
    *("create", "create", "update", "update", "update", "delete", "delete", "restore", "restore"),
    *("archive", "relate", "lines", "silent"),
)


class Drawing:
    """One sequence.

    Args:
        seed: Decides on everything.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - reproducible

    def draw(self) -> Sequence:
        """Draw it."""
        random = self.random
        self.selected = self._streams()
        self.businesses = random.choice(((1,), (1,), (1, 2)))
        settings = self._settings()
        return Sequence(
            seed=self.seed,
            behaviours=dict(self._behaviours()),
            settings=settings,
            streams=self.selected,
            steps=tuple(self._steps()),
            page=random.choice((2, 3, 5)),
            with_inbox=random.random() < 0.15,
        )

    def _streams(self) -> tuple[str, ...]:
        random, names = self.random, list(streams())
        kind = random.random()
        if kind < 0.05:
            return tuple(name for name in names if streams()[name].selected_by_default)
        if kind < 0.25:
            derived = [name for name in names if sources(name) != [name]]
            return tuple(random.sample(derived, random.randint(1, 5)))
        living = [name for name in names if not set(sources(name)) & NEVER_EDITED]
        drawn = random.sample(living, random.randint(2, 6)) + random.sample(names, 1)
        related = [name for name in names if set(sources(name)) & set(drawn)]
        drawn += random.sample(related, min(len(related), random.randint(0, 3)))
        return tuple(dict.fromkeys(drawn))

    def _settings(self) -> dict[str, Any]:
        random = self.random
        settings: dict[str, Any] = {
            "hard_deletes": random.choice(
                ("activate_version", "activate_version", "tombstones", "keep")
            ),
            "include_deleted": random.random() < 0.8,
            "full_refresh_interval": random.choice((60, 60, 7, 7, 3, 0)),
            "max_concurrency": random.choice((1, 1, 4)),
        }
        if random.random() < 0.3:
            one = {random.choice(self.selected): 6}
            settings["full_table_interval"] = random.choice((6, 36, {"*": 24} | one))
        if random.random() < 0.2:
            settings["start_date"] = random.choice(("2024-06-01T00:00:00Z", "2026-11-01T00:00:00Z"))
        if random.random() < 0.2:
            settings["stream_maps"] = self._map()
        return settings

    def _map(self) -> dict[str, Any]:
        name = self.random.choice(self.selected)
        return {name: {"mapped": f"str({self.random.randint(1, 2)})"}}

    def _behaviours(self) -> Iterator[tuple[str, str]]:
        random = self.random
        resources = sorted({source for name in self.selected for source in sources(name)})
        lists = [name for name in resources if name not in NEVER_EDITED]
        small = [
            name for name in lists if random.random() < 0.6 and name != "journal_entry_details"
        ]
        if small:
            yield "small_pages", ",".join(small)
        if random.random() < 0.5:
            for name in random.sample(sorted(BEHAVIOURS), random.randint(1, 4)):
                yield name, random.choice(BEHAVIOURS[name])
        if lists and random.random() < 0.4:
            for name in random.sample(OF_RESOURCES, random.randint(1, 2)):
                yield name, random.choice(("all", random.choice(lists)))

    def _steps(self) -> Iterator[Step]:
        random = self.random
        if random.random() < 0.3:
            yield from self._edits()
        yield Run()
        for _ in range(random.randint(2, 5)):
            if random.random() < 0.9:
                yield from self._edits()
            if random.random() < 0.8:
                yield Wait(random.choice(WAITS))
                if random.random() < 0.3:
                    yield from self._edits()
            if random.random() < 0.15:
                yield self._change()
            if random.random() < 0.45:
                yield Run(self._disturbance())
                if random.random() < 0.3:
                    yield from self._edits()
                if random.random() < 0.3:
                    yield Wait(random.choice(WAITS))
            yield Run()

    def _edits(self) -> Iterator[Edit]:
        for _ in range(self.random.randint(2, 8)):
            yield self._edit()

    def _edit(self) -> Edit:
        random = self.random
        found = [source for name in self.selected for source in sources(name)]
        resource = random.choice(found)
        if resource in FOLLOWS and (random.random() < 0.5 or not is_edited(resource)):
            resource = random.choice(FOLLOWS[resource])
        actions = [action for action in ACTIONS if can(action, resource)]
        action = random.choice(actions)
        place = random.choice((0.0, 0.999, random.random(), random.random()))
        return Edit(resource, action, place, random.randrange(3), random.choice(self.businesses))

    def _change(self) -> Change:
        random = self.random
        kind = random.randrange(6)
        if kind == 0:
            self.selected = self._streams()
            return Change(streams=self.selected)
        if kind == 1:
            return Change(
                {"hard_deletes": random.choice(("activate_version", "tombstones", "keep"))}
            )
        if kind == 2:
            return Change({"include_deleted": random.random() < 0.5})
        if kind == 3:
            return Change({"stream_maps": self._map()})
        if kind == 4:
            return Change({"full_table_interval": random.choice((0, 12, 36))})
        name = random.choice(self.selected)
        stream = streams()[name]
        free = set(stream.schema["properties"]) - {
            *stream.primary_keys,
            stream.replication_key or "",
        }
        free -= {"_sdc_deleted_at"}
        chosen = [(name, random.choice(sorted(free)))] if free and random.random() < 0.7 else []
        return Change(without=tuple(chosen))

    def _disturbance(self) -> Disturbance:
        random = self.random
        kind = random.choice(("edits", "edits", "fails", "refused", "interrupted", "killed"))
        edits = tuple(self._edits()) if kind == "edits" else ()
        return Disturbance(kind, random.random() ** 2, edits, random.random() < 0.5)
