"""Credit notes of clients, how they were used, and income without an invoice."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.money import text
from freshbooks_sandbox.resources.documents import Line
from freshbooks_sandbox.resources.other_incomes import CATEGORIES
from freshbooks_sandbox.seed_data.calendar import day_of, later, spread

if TYPE_CHECKING:
    from random import Random

    from freshbooks_sandbox.seed_data.context import SeedContext

FIRST_CREDIT, FIRST_INCOME = 6001, 4401
WORDS = ("created", "sent", "viewed", "draft")


def write_credits(context: SeedContext) -> None:
    """Credit notes and other income."""
    _Credits(context).write()
    _write_other_incomes(context)


class _Credits:
    def __init__(self, context: SeedContext) -> None:
        self.context = context
        self.clients = context.business.table("clients")
        self.payments = sorted(
            (row for row in context.business.table("payments").values() if row["vis_state"] == 0),
            key=lambda payment: payment["updated"],
        )
        self.paid_at = [payment["updated"] for payment in self.payments]

    def write(self) -> None:
        """One to fifteen invoices; a half of them is applied, one in twelve was overpaid."""
        random, fake = (
            self.context.random("credit_notes"),
            self.context.fakers("credit_notes")["en_CA"],
        )
        reasons = [fake.catch_phrase() for _ in range(6)]
        for position, moment in enumerate(spread(random, max(12, self.context.scale // 15))):
            payment = self._payment(random, moment) if position % 2 == 0 or position == 7 else None
            note: dict[str, Any] = {
                "id": FIRST_CREDIT + position,
                "credit_number": f"{position + 1:07d}",
                "credit_type": ("goodwill", "prepayment")[position % 4 // 2],
                "create_date": day_of(moment).isoformat(),
                "status": WORDS[position % 3 if payment else position % 4],
                "terms": ("", None)[position % 2],
                "vis_state": {3: 1, 5: 2}.get(position % 8, 0),
            }
            total = random.randrange(10, 400) * 25
            if payment is not None and position % 12 == 7:
                note["credit_type"] = "overpayment"
                self._overpay(payment, note, total)
            elif payment is not None:
                payment |= {"creditid": note["id"], "from_credit": True, "type": "Credit"}
                payment.pop("gateway", None)
                payment.pop("orderid", None)
                total = payment["_cents"] + (0, total)[position % 4 // 2]
            client = self._client(random, payment)
            note |= {
                "clientid": client["id"],
                "currency_code": payment["_code"] if payment else client["currency_code"],
                "_lines": [Line(random.choice(reasons), "", "1", total)],
                "_total": total,
            }
            self.context.business.add("credit_notes", note)

    def _client(self, random: Random, payment: dict[str, Any] | None) -> dict[str, Any]:
        if payment is not None:
            return self.clients[payment["clientid"]]
        return random.choice(list(self.clients.values())[:8])

    def _payment(self, random: Random, moment: int) -> dict[str, Any] | None:
        """One that was made after the credit was given and is not yet taken."""
        first = bisect_right(self.paid_at, moment)
        nearby = self.payments[first : first + 6]
        free = [row for row in nearby if "creditid" not in row]
        return random.choice(free) if free else None

    def _overpay(self, payment: dict[str, Any], note: dict[str, Any], excess: int) -> None:
        """The rest of a payment that was too high is a payment of its own.

        See docs/freshbooks-api/resources/payments.yaml.
        """
        key = self.context.business.next_id("payments")
        rest = {**payment, "id": key, "invoiceid": 0, "_cents": excess, "creditid": note["id"]}
        note["create_date"] = payment["date"]
        payment |= {"overpaymentid": key, "creditid": note["id"]}
        self.context.business.add("payments", rest)


def _write_other_incomes(context: SeedContext) -> None:
    """One to eight invoices."""
    random, fake = context.random("other_incomes"), context.fakers("other_incomes")["en_CA"]
    sources = [fake.company() for _ in range(6)]
    for position, moment in enumerate(spread(random, max(12, context.scale // 8))):
        cents = random.randrange(500, 90_000)
        row = {
            "id": FIRST_INCOME + position,
            "category_name": CATEGORIES[position % 5],
            "_cents": cents,
            "_code": ("USD", context.business.currency)[position % 4 > 0],
            "source": (random.choice(sources), None)[position % 5 == 4],
            "payment_type": (None, "Cash", "PayPal", "VISA")[position % 4],
            "note": (None, "", "At the fair")[position % 3],
            "date": day_of(moment).isoformat(),
            "created_at": moment,
            "updated_at": moment if position % 3 else later(random, moment, 60),
            "vis_state": {4: 1, 8: 2}.get(position % 10, 0),
        }
        if position % 3 == 1:
            row["taxes"] = [{"name": "HST", "amount": text(cents * 13 // 113)}]
        context.business.add("other_incomes", row)
