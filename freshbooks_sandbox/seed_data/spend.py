"""Spending: categories, and expenses, some of them to be billed to a client."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import money, share
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, day_of, later, spread

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

# The vendor's own list, abridged: names of accounts, not of people, so no work for Faker.
CATEGORIES = {
    "Advertising": (),
    "Car & Truck Expenses": ("Gas", "Mileage", "Parking"),
    "Contractors": (),
    "Cost of Goods Sold": ("Materials", "Shipping & Delivery"),
    "Meals & Entertainment": ("Restaurants/Dining",),
    "Office Expenses & Postage": ("Hardware", "Office Supplies", "Packaging", "Software"),
    "Professional Services": ("Accounting", "Legal Fees"),
    "Rent or Lease": ("Equipment", "Machinery"),
    "Travel": ("Airfare", "Hotel/Lodging/Accommodation", "Taxi & Parking"),
    "Utilities": ("Gas & Electrical", "Phone"),
}
FIRST_CATEGORY, FIRST_EXPENSE, BANK_ACCOUNT = 7001, 8001, 4411


def write_spend(context: SeedContext) -> None:
    """All that belongs to spending."""
    categories = _write_categories(context)
    random, fake = context.random("expenses"), context.fakers("expenses")["en_CA"]
    vendors = [fake.company() for _ in range(30)]
    clients = [
        client
        for client in context.business.table("clients").values()
        if client["currency_code"] == context.business.currency
    ]
    previous: dict[str, Any] = {"date": "", "_cents": 0}
    for position, moment in enumerate(spread(random, max(context.scale // 2, 12))):
        cents = random.randrange(300, 60_000)
        row: dict[str, Any] = {
            "id": FIRST_EXPENSE + position,
            "categoryid": random.choice(categories),
            "_cents": cents,
            "_code": context.business.currency,
            # People enter receipts late: the order by date is not the order by id.
            "date": day_of(max(moment - random.randrange(40) * 86_400_000_000, BEGIN)).isoformat(),
            "vendor": random.choice([*vendors, None]),
            "updated": moment if random.random() < 0.7 else later(random, moment, 60),
            "vis_state": {8: 1, 13: 2}.get(position % 20, 0),
        }
        if position % 9 == 4:
            row |= {"date": previous["date"], "_cents": previous["_cents"]}
        if random.random() < 0.4:
            tax = share(row["_cents"], "11.5")
            row |= {"taxName1": "HST", "taxAmount1": money(tax, row["_code"])}
            row["taxPercent1"] = ("13", None)[position % 2]
        if random.random() < 0.3:
            row |= {"has_receipt": True, "notes": fake.sentence()}
        if random.random() < 0.2:
            row |= {"accountid": BANK_ACCOUNT, "account_name": "Chequing", "bank_name": "Bank"}
        _bill_to(random.random(), clients, row, moment)
        previous = context.business.add("expenses", row)


def _bill_to(
    chance: float, clients: list[dict[str, Any]], row: dict[str, Any], moment: int
) -> None:
    """A fourth is spent for a client who was there by then."""
    known = [client for client in clients[:50] if client["_signup"] < moment]
    if chance < 0.25 and known:
        row["clientid"] = known[int(chance * 4 * len(known))]["id"]
        row |= {"billable": True, "markup_percent": ("0", "10")[row["id"] % 2]}


def _write_categories(context: SeedContext) -> list[int]:
    keys: list[int] = []
    moments = iter(spread(context.random("categories"), 40, BEGIN, END))
    for parent, children in CATEGORIES.items():
        parent_key = FIRST_CATEGORY + len(keys)
        for name in (parent, *children):
            key = FIRST_CATEGORY + len(keys)
            moment = next(moments)
            row = {
                "id": key,
                "category": name,
                "parentid": None if name == parent else parent_key,
                "is_cogs": parent == "Cost of Goods Sold",
                "is_editable": name == "Software",
                "created_at": BEGIN,
                "updated_at": moment,
                "vis_state": {14: 2, 19: 1}.get(len(keys), 0),
            }
            context.business.add("expense_categories", row)
            keys.append(key)
    return keys
