"""The chart of accounts with balances: a report of the ledger in the old envelope."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import LEDGER
from freshbooks_sandbox.guards import ledger_scope
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.resources.journal import account_of
from freshbooks_sandbox.resources.postings import entries, postings_of
from freshbooks_sandbox.view import View

if TYPE_CHECKING:
    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

DEBIT_TYPES = ("asset", "expense")
ALWAYS = ("0001-01-01", "9999-12-31")


def _sums(business: Business, start: str, end: str, code: str) -> Counter[str]:
    """Cents of every sub-account, debits positive, by uuid."""

    def build() -> Counter[str]:
        by_number: Counter[str] = Counter()
        for entry in entries(business):
            entry_code = entry.row.get("_code") or entry.row["currency_code"]
            if start <= entry.date <= end and entry_code == code:
                for posting in postings_of(entry, business):
                    by_number[posting.account] += posting.cents
        sums: Counter[str] = Counter()
        for number, cents in by_number.items():
            sums[account_of(number, business)["uuid"]] += cents
        return sums

    return business.cached(("chart", start, end, code), build)


def _thousandths(cents: int) -> str:
    """Three decimals (docs/freshbooks-api/accounting.md §6)."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}0"


def _account(row: Row, cents: int, code: str | None) -> dict[str, Any]:
    return {
        "account_uuid": row["uuid"],
        "account_name": row["name"],
        "account_number": row["number"],
        "account_type": row["type"],
        "account_sub_type": row["sub_type"],
        "system_account_name": row.get("system_account_name"),
        "auto_created": row.get("auto_created", False),
        "state": row.get("state", "active"),
        # Positive on the side where such accounts usually stand.
        "balance": _thousandths(cents if row["type"] in DEBIT_TYPES else -cents),
        "currency_code": code,
    }


def _chart(business: Business, period: tuple[str, str], code: str | None) -> list[dict[str, Any]]:
    sums = _sums(business, *period, code or business.currency)
    children = business.index("ledger_accounts", "parent_account")
    found = []
    for row in sorted(children.get(None, []), key=lambda row: row["number"]):
        below = children.get(row["uuid"], [])
        record = _account(row, sums[row["uuid"]] + sum(sums[kid["uuid"]] for kid in below), code)
        record["sub_accounts"] = [
            {**_account(kid, sums[kid["uuid"]], code), "parent_account_uuid": row["uuid"]}
            for kid in below
        ]
        found.append(record)
    return found


CHART_OF_ACCOUNTS = Resource(
    name="chart_of_accounts",
    family=LEDGER,
    path=None,
    plural="journal_entry_accounts",
    single="journal_entry_account",
    scope="reports",
    key="account_uuid",
    rows=lambda business: _chart(business, ALWAYS, None) if business.account_id else [],
    visibility=everything,
)


def _report(query: Query, context: FilterContext, _text: str | None) -> Any:
    """Today only where no period is given, as with all reports.

    See docs/freshbooks-api/accounting.md §4.
    """
    behaviours = context.behaviours
    if behaviours.use_ledger_entries == "required" and not query.is_on("use_ledger_entries"):
        # One of its two pages calls it required
        # (docs/freshbooks-api/resources/chart_of_accounts.yaml).
        name = "use_ledger_entries"
        raise ApiError(422, f"{name} is required.", 1001, name, None, "report")
    today = context.business.today
    day = today.isoformat() if today else ALWAYS[1]
    period = (query.value("start_date") or day, query.value("end_date") or day)
    rows = _chart(context.business, period, query.value("currency_code"))
    kind, state = query.value("account_type"), query.value("state")
    if kind is not None:
        rows = [row for row in rows if row["account_type"] == kind]
    if state is not None:
        rows = [row for row in rows if _in_state(row, state)]
        for row in rows:
            kids = [kid for kid in row["sub_accounts"] if _in_state(kid, state)]
            row["sub_accounts"] = kids
    if query.sort == "account_number_desc":
        rows.reverse()
    return {"response": {"result": {"journal_entry_accounts": rows}}}


def _in_state(record: dict[str, Any], state: str) -> bool:
    """`inactive` here is any other word in the ledger.

    See docs/freshbooks-api/resources/chart_of_accounts.yaml.
    """
    return bool((record["state"] == "active") == (state == "active"))


CHART_VIEW = View(
    name="chart_of_accounts",
    paths=(("ledger", "reports/chart_of_accounts"),),
    any_scope=("user:reports:read",),
    more_scopes=ledger_scope,
    build=_report,
    is_for_clients=False,
)
