"""Purchases on credit: vendors, their bills, and the payments on them."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.resources.bills import BillLine, total_of
from freshbooks_sandbox.resources.documents import due_date
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, day_of, later, spread

if TYPE_CHECKING:
    from random import Random

    from freshbooks_sandbox.seed_data.context import SeedContext

FIRST_VENDOR, FIRST_BILL, FIRST_BILL_PAYMENT = 1501, 7501, 9501
QUANTITIES = ("1", "1", "2", "5", "1.5")
METHODS = ("Check", "Bank Transfer", "Credit Card", "ACH", "Other")


def write_purchases(context: SeedContext) -> None:
    """All that belongs to accounts payable."""
    _write_vendors(context)
    payments = _write_bills(context)
    payments.sort(key=lambda payment: payment["paid_date"])
    for position, payment in enumerate(payments):
        # Some are taken back; what they paid is open again.
        payment["vis_state"] = {2: 1, 4: 2}.get(position % 14, 0)
        context.business.add("bill_payments", {"id": FIRST_BILL_PAYMENT + position, **payment})


def _write_vendors(context: SeedContext) -> None:
    """One to thirty invoices; every third has the tax defaults of its country."""
    business, random = context.business, context.random("bill_vendors")
    fake = context.fakers("bill_vendors")["en_CA"]
    count = max(8, min(context.scale // 30, 500))
    for position, moment in enumerate(spread(random, count, BEGIN, END)):
        first_name, last_name = fake.first_name(), fake.last_name()
        row: dict[str, Any] = {
            "id": FIRST_VENDOR + position,
            "vendor_name": fake.company(),
            "currency_code": "USD" if position % 4 == 1 else business.currency,
            "created_at": moment,
            "updated_at": moment if position % 2 else later(random, moment, 90),
            "vis_state": {4: 1, 6: 2}.get(position % 8, 0),
        }
        if position % 3:
            row |= {
                "primary_contact_first_name": first_name,
                "primary_contact_last_name": last_name,
                "primary_contact_email": f"ap.{position}@example.net",
                "phone": fake.numerify("416555####"),
                "street": fake.street_address(),
                "city": fake.city(),
                "province": fake.province(),
                "country": "Canada",
                "account_number": f"{position:04d}",
            }
        else:
            row |= {"_tax_defaults": True, "note": ("", None, "Net 30")[position % 9 // 3]}
        business.add("bill_vendors", row)


def _write_bills(context: SeedContext) -> list[dict[str, Any]]:
    """One to four invoices; returns what was paid on them."""
    business, random = context.business, context.random("bills")
    vendors = list(business.table("bill_vendors").values())
    lines = _lines(context)
    payments: list[dict[str, Any]] = []
    known = 0
    for position, moment in enumerate(spread(random, max(12, context.scale // 4))):
        while known < len(vendors) and vendors[known]["created_at"] <= moment:
            known += 1
        vendor = vendors[random.randrange(max(known, 1))]
        created = max(moment, vendor["created_at"])
        offset = random.choice((0, 15, 30, 30, 60))
        issued = day_of(created).isoformat()
        row = {
            "id": FIRST_BILL + position,
            "vendorid": vendor["id"],
            "bill_number": f"B-{random.randrange(10_000, 99_999)}" if position % 3 else None,
            "issue_date": issued,
            "due_offset_days": offset,
            "due_date": due_date(issued, offset),
            "currency_code": vendor["currency_code"],
            "_lines": random.sample(lines, random.choice((1, 1, 2, 3))),
            "created_at": created,
            "updated_at": created,
            "vis_state": {7: 1, 10: 2}.get(position % 16, 0),
        }
        payments += _pay(random, business.add("bills", row))
    return payments


def _lines(context: SeedContext) -> list[BillLine]:
    """The goods that are ordered again and again."""
    random, fake = context.random("bill_lines"), context.fakers("bill_lines")["en_CA"]
    categories = [key for key, row in context.business.table("expense_categories").items()]
    found = []
    for position in range(40):
        taxed = position % 3 == 0
        found.append(
            BillLine(
                description=(fake.catch_phrase(), fake.bs(), None)[position % 3],
                quantity=random.choice(QUANTITIES),
                unit_cost=random.randrange(500, 90_000),
                categoryid=int(random.choice(categories)),
                tax_name1="HST" if taxed else None,
                percent1="13" if taxed else None,
            )
        )
    return found


def _pay(random: Random, bill: dict[str, Any]) -> list[dict[str, Any]]:
    """Nothing, a part, two parts or all."""
    total, chance = total_of(bill), random.random()
    if chance < 0.35:
        parts = []
    elif chance < 0.5:
        parts = [total // 3]
    elif chance < 0.6:
        parts = [total // 2, total - total // 2]
    else:
        parts = [total]
    payments = []
    for part in parts:
        moment = later(random, bill["updated_at"], 40)
        if moment >= END:
            break
        payment: dict[str, Any] = {
            "billid": bill["id"],
            "_cents": part,
            "_code": bill["currency_code"],
            "paid_date": day_of(moment).isoformat(),
            "payment_type": random.choice(METHODS),
        }
        if random.random() < 0.3:
            payment["note"] = ("", "Paid by hand")[bill["id"] % 2]
        bill["updated_at"] = moment
        payments.append(payment)
    return payments
