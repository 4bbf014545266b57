"""Sales: items and taxes, estimates, the invoices that come of them, and their payments."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import SECOND
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resources.documents import Line, due_date, totals
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, day_of, is_repeated, later, spread
from freshbooks_sandbox.seed_data.rebilling import Rebilling

if TYPE_CHECKING:
    from random import Random

    from freshbooks_sandbox.seed_data.context import SeedContext

TAXES = (("HST", "13"), ("GST", "5"), ("QST", "9.975"), ("PST", "7"))
QUANTITIES = ("1", "1", "2", "3", "4", "8", "2.5", "0.5", "12")
METHODS = ("Check", "Cash", "Bank Transfer", "Credit Card", "PayPal", "VISA", "Other")
FIRST_ITEM, FIRST_TAX, FIRST_ESTIMATE, FIRST_INVOICE, FIRST_PAYMENT = 301, 81, 3001, 5001, 9001


def write_sales(context: SeedContext) -> None:
    """All that belongs to sales."""
    _write_taxes(context)
    desk = _Desk(context, _Catalogue(context))
    desk.write_estimates()
    desk.write_invoices()
    desk.write_payments()


def _write_taxes(context: SeedContext) -> None:
    moments = spread(context.random("taxes"), len(TAXES), BEGIN, END)
    for position, (name, percent) in enumerate(TAXES):
        number = "RT 0001" if name == "HST" else ("", None)[position % 2]
        row = {"id": FIRST_TAX + position, "name": name, "amount": percent, "number": number}
        context.business.add("taxes", {**row, "updated": moments[position]})


class _Catalogue:
    """Items, and the lines that are made of them; equal lines are one object."""

    def __init__(self, context: SeedContext) -> None:
        random, fake = context.random("items"), context.fakers("items")["en_CA"]
        self._lines: dict[tuple[Any, ...], Line] = {}
        self.items = []
        count = 16 if context.scale < 2000 else 60
        for position, moment in enumerate(spread(random, count)):
            row = {
                "id": FIRST_ITEM + position,
                "name": fake.job(),
                "description": (fake.catch_phrase(), "", None)[position % 3],
                "unit_cost": money(random.randrange(400, 40_000) * 5, context.business.currency),
                "tax1": FIRST_TAX if position % 3 == 0 else 0,
                "sku": fake.bothify("??-####").upper() if position % 4 == 0 else None,
                "inventory": (None, "", "40")[position % 3],
                "updated": moment,
                "vis_state": {7: 1, 11: 2}.get(position, 0),
            }
            self.items.append(context.business.add("items", row))

    def line(self, random: Random, client: dict[str, Any]) -> Line:
        """A line for a client: the taxes of his province, none abroad."""
        position = random.randrange(len(self.items))
        quantity = random.choice(QUANTITIES)
        taxes = _taxes_for(client)
        key = (position, quantity, taxes)
        if key not in self._lines:
            item = self.items[position]
            (name1, percent1), (name2, percent2) = taxes
            self._lines[key] = Line(
                name=item["name"],
                description=item["description"] or "",
                qty=quantity,
                unit_cost=int(item["unit_cost"]["amount"].replace(".", "")),
                tax_name1=name1,
                percent1=percent1,
                tax_number1="RT 0001" if name1 == "HST" else None,
                tax_name2=name2,
                percent2=percent2,
                compounded_tax=name2 == "PST",
            )
        return self._lines[key]


def _taxes_for(client: dict[str, Any]) -> tuple[tuple[str | None, str], tuple[str | None, str]]:
    if client["p_country"] != "Canada":
        return (None, "0"), (None, "0")
    return {
        0: (TAXES[0], (None, "0")),
        1: (TAXES[1], TAXES[2]),
        2: (TAXES[1], TAXES[3]),
    }.get(client["id"] % 5, (TAXES[0], (None, "0")))


class _Desk:
    """WriteRules the documents, one after the other as time passes."""

    def __init__(self, context: SeedContext, catalogue: _Catalogue) -> None:
        self.context = context
        self.catalogue = catalogue
        self.clients = list(context.business.table("clients").values())
        self.clients_at = [client["_signup"] for client in self.clients]
        self.accepted: dict[int, list[dict[str, Any]]] = {}
        self.payments: list[dict[str, Any]] = []
        self.rebilling = Rebilling(context.business)

    def _client(self, random: Random, moment: int) -> dict[str, Any]:
        """A client who had signed up by then; the earlier ones come more often."""
        known = bisect_right(self.clients_at, moment)
        client: dict[str, Any] = self.clients[int(known * random.random() ** 1.5)]
        return client

    def _document(self, random: Random, moment: int) -> dict[str, Any]:
        client = self._client(random, moment)
        lines = [self.catalogue.line(random, client) for _ in range(random.choice((1, 1, 2, 2, 3)))]
        document = {
            "customerid": client["id"],
            "currency_code": client["currency_code"],
            "create_date": day_of(moment).isoformat(),
            "created_at": moment,
            "vis_state": 0,
            "_lines": lines,
        }
        if random.random() < 0.1:
            document["discount_value"] = random.choice(("5", "10", "12.5"))
        return document

    def write_estimates(self) -> None:
        """One to four invoices; some are accepted and wait to be invoiced."""
        random, fake = self.context.random("estimates"), self.context.fakers("estimates")["en_CA"]
        pitch = fake.paragraph()
        moments = spread(random, max(8, self.context.scale // 4))
        for position, moment in enumerate(moments):
            row = self._document(random, moment)
            status = random.choice((1, 2, 2, 3, 5, 5, 5))
            row |= {
                "id": FIRST_ESTIMATE + position,
                "estimate_number": f"{position + 1:07d}",
                "status": status,
                "updated": moment if status == 1 else later(random, moment, 5),
                "vis_state": {5: 1, 9: 2}.get(position % 15, 0),
                "rich_proposal": position % 6 == 0,
                "_pitch": pitch,
            }
            row["_discount"], row["_total"] = totals(row["_lines"], row.get("discount_value", "0"))
            self.context.business.add("estimates", row)
            if status == 5 and row["vis_state"] == 0:
                self.accepted.setdefault(row["customerid"], []).append(row)

    def write_invoices(self) -> None:
        """The scale of the business."""
        random, fake = self.context.random("invoices"), self.context.fakers("invoices")["en_CA"]
        notes = ["", "", *(fake.sentence() for _ in range(4))]
        for position, moment in enumerate(spread(random, self.context.scale)):
            row = {**self._document(random, moment), "id": FIRST_INVOICE + position}
            if not self._take_up_estimate(row, moment):
                row["_lines"] += self.rebilling.lines(row["customerid"], moment, row["id"])
            offset = random.choice((0, 15, 30, 30, 30, 60))
            row |= {
                "invoice_number": f"{position + 1:07d}",
                "due_offset_days": offset,
                "due_date": due_date(row["create_date"], offset),
                "status": 2,
                "updated": moment,
                "vis_state": {11: 1, 17: 2}.get(position % 30, 0),
            }
            row["_discount"], row["_total"] = totals(row["_lines"], row.get("discount_value", "0"))
            self._vary(random, row, notes)
            self._tell_fate(random, row)
            self.context.business.add("invoices", row)

    def _take_up_estimate(self, row: dict[str, Any], moment: int) -> bool:
        waiting = self.accepted.get(row["customerid"])
        if not waiting or waiting[0]["updated"] >= moment:
            return False
        estimate = waiting.pop(0)
        estimate |= {"status": 6, "updated": moment}
        row |= {"estimateid": estimate["id"], "_lines": estimate["_lines"]}
        row.pop("discount_value", None)
        if "discount_value" in estimate:
            row["discount_value"] = estimate["discount_value"]
        return True

    def _vary(self, random: Random, row: dict[str, Any], notes: list[str]) -> None:
        chance = random.random()
        if chance < 0.3:
            row |= {"notes": random.choice(notes), "terms": ("", "Net 30")[row["id"] % 2]}
        elif chance < 0.36:
            row["po_number"] = f"PO-{random.randrange(1000, 9999)}"
        elif chance < 0.4:
            row["deposit_percentage"] = "50"
        elif chance < 0.44:
            row |= {"parent": random.randrange(1, 9), "auto_bill": True}
            row["generation_date"] = row["create_date"]
        elif chance < 0.46:
            row |= {"auto_bill": True, "autobill_status": random.choice(("failed", "retry"))}

    def _tell_fate(self, random: Random, row: dict[str, Any]) -> None:
        """Draft, disputed, unpaid, partly paid or paid; its last event is its update."""
        moment, position = row["created_at"], row["id"] - FIRST_INVOICE
        fate = random.random()
        if fate < 0.08 or position == 3:
            row["status"] = 1
            return
        row["updated"] = min(moment + random.randrange(5, 600) * SECOND, END)
        if is_repeated(moment):
            return
        row["status"] = 0 if fate < 0.11 else random.choice((2, 3))
        if fate < 0.28 or row.get("autobill_status"):
            row["vis_state"] or row.update(updated=later(random, row["updated"], 3))
            return
        parts = [row["_total"]]
        if fate < 0.4:
            parts = [row["_total"] // 3]
        elif fate < 0.5:
            parts = [row["_total"] // 2, row["_total"] - row["_total"] // 2]
        for part in parts:
            self._pay(random, row, part)
        if row["vis_state"] == 1:
            # Its payments stay as they are (docs/freshbooks-api/accounting.md §5).
            row["updated"] = later(random, row["updated"], 20)

    def _pay(self, random: Random, invoice: dict[str, Any], cents: int) -> None:
        moment = later(random, invoice["updated"], 40)
        if cents <= 0 or moment >= END:
            return
        payment = {
            "invoiceid": invoice["id"],
            "clientid": invoice["customerid"],
            "_cents": cents,
            "_code": invoice["currency_code"],
            "date": day_of(moment).isoformat(),
            "type": random.choice(METHODS),
            "updated": moment,
            "vis_state": 0,
        }
        if payment["type"] == "Credit Card":
            payment |= {"gateway": "Stripe", "orderid": random.randrange(10_000, 99_999)}
        if random.random() < 0.04:
            moment = payment["updated"] = later(random, moment, 10)
            payment["vis_state"] = 1
        invoice["updated"] = moment
        self.payments.append(payment)

    def write_payments(self) -> None:
        """Numbered as they came in."""
        self.payments.sort(key=lambda payment: payment["updated"])
        for position, payment in enumerate(self.payments):
            self.context.business.add("payments", {"id": FIRST_PAYMENT + position, **payment})
