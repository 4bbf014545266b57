"""What syncs of the sandbox's books ask for, send again and miss."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks.report.figures import table

if TYPE_CHECKING:
    from collections.abc import Mapping

READERS = {
    "tap": "tap-freshbooks",
    "tap, interval": "tap-freshbooks, `full_table_interval` 24",
    "sdk-default": "SDK-default tap, each list once",
    "sdk-default, all passes": "SDK-default tap, archived and deleted rows, too",
    "airbyte": "Airbyte CDK, its connector's lists",
    "airbyte, as published": "the same, with the paging that is published",
}
CHANGES = ("edit", "expenses deleted", "taxes deleted", "journal lines added")
WORDS = {True: "yes", False: "**no**", None: ""}

TEXT = """\
## Requests and records: three businesses

Everybody reads the sandbox's books: for the first time; again, with nothing new; and once more
after an invoice was edited, an expense and a tax deleted, and a journal entry added. After each run
the rows that its target holds are compared with those of the books, by their ids.

{runs}
*Rows missed* are in the books and not in the target, after any of the runs; *rows too many* are
deleted and still in the target; *rows out of date* have, after the changes, another content than a
new first run of the same reader brings.{named}

{changes}
- *SDK-default tap*: the {lists} of the tap's {streams} default streams that are plain lists, each
  with its documented path and key, pages of 100, the filter by change where one is documented (by
  day, as accounting has it), and `ACTIVATE_VERSION` for full tables. It reads each list once, or
  also the lists of archived and deleted rows. While a list moves, its rows may slip through.
- *Airbyte's connector* has ten streams; they are written anew for the CDK, with pages of 100, with
  cursors where FreshBooks filters, and for all accounts at once. Full tables are overwritten by
  each run, which is how deletions show. *Published* is the connector's own paging: no page size is
  asked for, so a page has 15 rows, and a page of fewer than 100 rows counts as the last.
- What `full_table_interval` leaves unread shows with the next reading of the list, here 24 hours
  later.
- With nothing new, the tap asks {busiest}
- It wrote {log:,} lines of log in its first run.
"""


def section(part: Mapping[str, Any]) -> str:
    """The tables and what they mean."""
    readers = part["readers"]
    return TEXT.format(
        runs=_runs(readers),
        named=_named(readers),
        changes=_changes(readers),
        lists=part["lists"],
        streams=part["streams"],
        busiest=_busiest(readers["tap"]["runs"]["idle"]["busiest"]),
        log=readers["tap"]["runs"]["first"]["log_lines"],
    )


def _runs(readers: Mapping[str, Any]) -> str:
    rows = []
    for name, reader in readers.items():
        runs = reader["runs"]
        figures = [f"{runs[run][key]:,}" for run in runs for key in ("requests", "records")]
        differ = [str(_most(reader, side).total()) for side in ("missing", "surplus")]
        differ.append(str(sum(reader["outdated"].values())))
        rows.append([READERS[name], str(reader["lists"]), *figures, *differ])
    head = ["", "lists", "first: requests", "records", "nothing new: requests", "records again"]
    head += ["changes: requests", "records", "rows missed", "rows too many", "rows out of date"]
    return table(head, rows)


def _most(reader: Mapping[str, Any], side: str) -> Counter[str]:
    """By list, the most rows by which the target differed after a run."""
    found: Counter[str] = Counter()
    for run in reader["runs"].values():
        found |= Counter(run[side])
    return found


def _named(readers: Mapping[str, Any]) -> str:
    """Which lists rows are missed of."""
    lines = []
    for name, reader in readers.items():
        if missed := _most(reader, "missing"):
            lists = ", ".join(f"{count} of {each}" for each, count in sorted(missed.items()))
            lines.append(f"\n- {READERS[name]}: {lists}")
    return "\n\nMissed are:\n" + "".join(lines) if lines else ""


def _busiest(busiest: Mapping[str, int]) -> str:
    """Which lists of a business are asked for more than twice."""
    by_list: Counter[str] = Counter()
    for path, asked in busiest.items():
        by_list |= Counter({path.rsplit("/", 1)[1]: asked})
    named = ", ".join(f"{name} ({asked})" for name, asked in by_list.most_common())
    text = "for no list of a business more than twice"
    return f"{text}, but for {named}." if named else f"{text}."


def _changes(readers: Mapping[str, Any]) -> str:
    rows = [
        [READERS[name], *(WORDS[reader["noticed"][change]] for change in CHANGES)]
        for name, reader in readers.items()
    ]
    return table(["noticed by the next run", *CHANGES], rows)
