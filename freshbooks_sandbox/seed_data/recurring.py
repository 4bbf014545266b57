"""Recurring profiles, by which some invoices and expenses were made."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources.documents import totals
from freshbooks_sandbox.seed_data.calendar import day_of, spread

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

FIRST_PROFILE, FIRST_EXPENSE_PROFILE = 1201, 1301


def write_recurring(context: SeedContext) -> None:
    """After invoices and expenses, of which it makes some the offspring of profiles."""
    _write_invoice_profiles(context)
    _write_expense_profiles(context)


def _write_invoice_profiles(context: SeedContext) -> None:
    """One to each client with recurring invoices, and some that have not yet made any."""
    invoices = context.business.table("invoices")
    recurring: dict[int, list[dict[str, Any]]] = {}
    for invoice in invoices.values():
        if invoice.get("parent"):
            recurring.setdefault(invoice["customerid"], []).append(invoice)
    random = context.random("invoice_profiles")
    idle = random.sample(list(invoices.values()), min(len(invoices), max(8, context.scale // 60)))
    moments = spread(random, len(idle))
    key = FIRST_PROFILE
    for position, (invoice, moment) in enumerate(zip(idle, moments, strict=True)):
        row = _profile(key, invoice)
        row |= {
            "create_date": (day_of(moment) + timedelta(days=60)).isoformat(),
            "updated": moment,
            "disable": position % 5 == 3,
            "vis_state": {2: 1, 5: 2}.get(position % 8, 0),
        }
        context.business.add("invoice_profiles", row)
        key += 1
    for position, made in enumerate(recurring.values()):
        row = _profile(key, made[0])
        row |= {
            "create_date": made[-1]["create_date"],
            "updated": made[-1]["created_at"],
            "numberRecurring": (0, 12)[position % 2],
            "auto_bill": True,
            "vis_state": 0,
        }
        for invoice in made:
            invoice["parent"] = key
        context.business.add("invoice_profiles", row)
        key += 1


def _profile(key: int, invoice: dict[str, Any]) -> dict[str, Any]:
    """The client, the currency and the lines of an invoice, without what was rebilled on it."""
    row: dict[str, Any] = {
        "id": key,
        "customerid": invoice["customerid"],
        "currency_code": invoice["currency_code"],
        "frequency": ("m", "2w")[key % 2],
        "due_offset_days": invoice["due_offset_days"],
        "po_number": invoice.get("po_number"),
        "terms": ("", None)[key % 2],
        "include_unbilled_time": key % 6 == 0,
        "_lines": [line for line in invoice["_lines"] if not (line.expenseid or line.time_entries)],
    }
    row["_discount"], row["_total"] = totals(row["_lines"], "0")
    return row


def _write_expense_profiles(context: SeedContext) -> None:
    """One to forty expenses; two of three have made one of them."""
    random = context.random("expense_profiles")
    expenses = list(context.business.table("expenses").values())
    count = max(8, min(context.scale // 80, 500))
    for position, moment in enumerate(spread(random, count)):
        model = expenses[position * len(expenses) // count]
        start = date.fromisoformat(model["date"])
        row: dict[str, Any] = {
            "id": FIRST_EXPENSE_PROFILE + position,
            "frequency": ("m", "y", "w")[position % 3],
            "start_date": start.isoformat(),
            "end_date": (start + timedelta(days=730)).isoformat() if position % 4 == 1 else None,
            "next_issue_date": (start + timedelta(days=31)).isoformat() if position % 5 else None,
            "_cents": model["_cents"],
            "_code": model["_code"],
            "categoryid": model["categoryid"],
            "vendor": model["vendor"],
            "notes": model.get("notes", ""),
            "updated": moment,
            "vis_state": {3: 1, 6: 2}.get(position % 8, 0),
        }
        for name in ("taxName1", "taxAmount1", "taxPercent1"):
            row[name] = model.get(name)
        context.business.add("expense_profiles", row)
        if position % 3:
            model["profileid"] = row["id"]
