"""Doctor names the behaviour of the sandbox that was switched on, and no other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_type_hints

import pytest

from freshbooks_sandbox import Sandbox, scopes
from freshbooks_sandbox.behaviours import Behaviours
from freshbooks_sandbox.guards import OTHER_SCOPE
from tap_freshbooks.doctor.questions import QUESTIONS
from tests.doctor.examining import INVOICES, examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doctor.examining import Result
    from tests.support import Command

ALL = "all"
HINTS = get_type_hints(Behaviours)

ONE = {
    "updated_filter_ignored": "items",
    "deleted_filter_ignored": "bill_vendors",
    "deleted_unreadable": "projects",
    "includes_ignored": "estimates",
    "envelope": "clients",
    "totals": "taxes",
    "scopes": "payments",
    "default_per_page": "expenses",
    "search_ignored": "bills",
    "sort_ignored": "clients",
    "oldest_first": "estimates",
    "small_pages": "bill_payments",
    "page_metadata_missing": "expenses",
    "repeated_rows": "services",
    "unknown_fields": "taxes",
    "other_kinds": "other_incomes",
    "unknown_words": "projects",
    "utc_timestamps": "tasks",
}
"""For a behaviour that names resources one of them, which is a stream of the same name."""


WITH_LATE_FEES = {"clients", "invoices", "invoice_profiles"}
SEVERAL = {
    "presumed_lists": {"billable_items", "checkout_links", "expense_profiles"},
    "feature_flags": {
        *("bills", "bill_payments", "bill_vendors", "billable_items", "checkout_links"),
        *("journal_entries", "report_general_ledger", "retainers", "staffs"),
    },
    "late_fee_value": WITH_LATE_FEES,
    "late_reminder_id": WITH_LATE_FEES,
    "account_reports": {
        *("report_cash_flow", "report_expense_details", "report_general_ledger"),
        *("report_profit_loss", "report_trial_balance"),
    },
}
"""Behaviours that are seen on more than one stream."""


def change_rows(sandbox: Sandbox) -> None:
    """Some rows that changed just now, by which the zone of timestamps is seen."""
    for resource in ("tasks", "clients", "invoices"):
        sandbox.create(resource)


def wait(sandbox: Sandbox) -> None:
    """Let time pass since the consent."""
    sandbox.clock(advance=1000)


@dataclass(frozen=True)
class Preparation:
    """What a behaviour needs to be seen: a change of the sandbox, other scopes, options."""

    prepare: Callable[[Sandbox], object] | None = None
    scopes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


USUAL = Preparation()
FEW_SCOPES = Preparation(scopes=("user:profile:read", "user:journal_entries:read"))
ALL_SCOPES_BUT_ONE = Preparation(scopes=tuple(sorted(scopes.ALL - {OTHER_SCOPE})))
SPENDING = Preparation(wait, options=("--spend-a-refresh",))
PREPARED = {
    "utc_timestamps": Preparation(change_rows),
    "missing_scope": FEW_SCOPES,
    "accounting_missing_scope": FEW_SCOPES,
    "ledger_scopes": FEW_SCOPES,
    "scopes": ALL_SCOPES_BUT_ONE,
    "old_access_token": SPENDING,
    "refresh_created_at": SPENDING,
}


def others_of(name: str) -> list[str]:
    """The values of a behaviour that differ from its default."""
    return list(get_args(HINTS[name])[1:]) or [ONE[name], ALL]


READABLE = [name for name in HINTS if not QUESTIONS[name].untestable]
SWITCHED = [(name, value) for name in READABLE for value in others_of(name)]


@pytest.mark.parametrize(("name", "value"), SWITCHED)
def test_the_behaviour_that_is_switched_on_is_named_and_no_other(
    name: str, value: str, command: Command, tmp_path: Path
) -> None:
    result = run(PREPARED.get(name, USUAL), {name: value}, command, tmp_path)
    # Of lists that belong to no business a question of its own asks.
    others = {"constant_lists"} if value == ALL else set()
    assert set(result.differing) - others == {name}
    assert result.requests <= result.bound
    values, streams = (set(each) for each in zip(*result.differing[name], strict=True))
    if name not in ONE:
        assert values == {value}
        assert len(streams) == 1 or streams == SEVERAL[name]
    elif value == ALL:
        assert len(streams) > 2
    else:
        assert streams == {value}
    assert result.status == 1


@pytest.mark.parametrize("preparation", dict.fromkeys([USUAL, *PREPARED.values()]), ids=count())
def test_nothing_differs_where_no_behaviour_is_switched_on(
    preparation: Preparation, command: Command, tmp_path: Path
) -> None:
    result = run(preparation, {}, command, tmp_path)
    assert result.differing == {}
    assert result.status == 0
    # Scopes are seen with any token.
    for name in PREPARED.keys() - {"scopes"}:
        assert ("true" in result.outcomes(name)) == (preparation == PREPARED[name]), name


def test_what_reading_cannot_tell_is_not_tested(command: Command, tmp_path: Path) -> None:
    others = {name: others_of(name)[0] for name in sorted(HINTS.keys() - READABLE)}
    result = run(USUAL, others, command, tmp_path)
    assert others
    assert {outcome for name in others for outcome in result.outcomes(name)} == {"not tested"}
    assert result.differing == {}


@pytest.mark.parametrize("name", HINTS)
def test_a_behaviour_and_its_question_are_the_same(name: str) -> None:
    question, values = QUESTIONS[name], get_args(HINTS[name])
    assert (not values) == question.of_each_stream
    if values:
        assert question.values == values
        assert question.values[0] == getattr(Behaviours(), name)


@pytest.mark.parametrize("name", HINTS)
def test_a_behaviour_and_its_question_have_the_same_places(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "sandbox.md"
    _, section = page.read_text(encoding="utf-8").split("## Behaviours")
    [row] = re.findall(rf"^\| `{name}` \|.*$", section, re.MULTILINE)
    written = set(re.findall(r"\]\(freshbooks-api/([\w/-]+\.\w+)", row))
    places = {each.removeprefix("docs/freshbooks-api/") for each in QUESTIONS[name].places}
    assert written <= {each.split(" ")[0] for each in places}


def run(
    preparation: Preparation, behaviours: dict[str, str], command: Command, folder: Path
) -> Result:
    with Sandbox(invoices=INVOICES, rate_limit=0, behaviours=behaviours) as sandbox:
        return examine(
            command,
            sandbox,
            folder,
            *preparation.options,
            scopes=list(preparation.scopes) or None,
            prepare=preparation.prepare,
        )
