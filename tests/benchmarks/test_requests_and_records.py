from __future__ import annotations

from typing import Any

from benchmarks.lists import lists
from benchmarks.parts.requests_and_records import NOTE, Changes
from benchmarks.report import goals, requests_section
from benchmarks.target import Row, Target

READ = lists(["invoices", "taxes", "journal_entry_details"])
CHANGES = Changes(invoice={"id": 5001}, deleted={"taxes": "84", "expenses": "8001"})


def target(notes: str, *taxes: int) -> Target:
    rows: dict[str, list[Row]] = {
        "invoices": [{"id": 5001, "notes": notes}],
        "taxes": [{"id": number} for number in taxes],
    }
    tables = {
        name: {("Qx7Lm2", str(row["id"])): row for row in table} for name, table in rows.items()
    }
    return Target(READ, tables=tables)


def test_changes_are_noticed_or_not_or_are_of_no_list() -> None:
    assert CHANGES.noticed(target(NOTE, 81), "Qx7Lm2", {"missing": {}}) == {
        "edit": True,
        "taxes deleted": True,
        "expenses deleted": None,
        "journal lines added": True,
    }
    late = CHANGES.noticed(target("", 84), "Qx7Lm2", {"missing": {"journal_entry_details": 2}})
    assert set(late.values()) == {False, None}


def run(requests: int, records: int, **missing: int) -> dict[str, Any]:
    found = {"missing": missing, "surplus": {}, "busiest": {"GET /a/b/invoices": 5}}
    return {"requests": requests, "records": records, "log_lines": 6, **found}


def part(*runs: dict[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys(requests_section.CHANGES, True)
    reader = {"lists": 3, "noticed": names, "runs": dict(zip(RUNS, runs, strict=True))}
    reader["outdated"] = {"taxes": 4}
    return {"lists": 3, "streams": 4, "readers": {"tap": reader}}


RUNS = ("first", "idle", "changed")


def test_goals_are_of_counts() -> None:
    measured = part(run(151, 900), run(100, 1), run(104, 3, invoices=2))
    assert {goal.key: goal.missed_by for goal in goals.goals({"requests": measured})} == {
        "requests-first": "1",
        "requests-idle": None,
        "records-idle": "1",
        "books": "6",
    }


def test_the_section_has_each_run_and_names_what_is_missed() -> None:
    text = requests_section.section(part(run(150, 9000), run(90, 0), run(91, 3, invoices=2)))
    assert "| tap-freshbooks | 3 | 150 | 9,000 | 90 | 0 | 91 | 3 | 2 | 0 | 4 |" in text
    assert "- tap-freshbooks: 2 of invoices" in text
    assert "for no list of a business more than twice, but for invoices (5)." in text
