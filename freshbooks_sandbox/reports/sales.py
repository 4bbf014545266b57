"""Item sales and revenue by client: what was sold, and to whom."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.money import money, share
from freshbooks_sandbox.reports.journal import is_booked
from freshbooks_sandbox.reports.parameters import (
    COMMA_NUMBERS,
    COMMA_TEXTS,
    CURRENCY,
    NUMBERS,
    PERIOD,
    Parameter,
)
from freshbooks_sandbox.reports.profit_loss import columns
from freshbooks_sandbox.reports.report import company, report
from freshbooks_sandbox.resources.balances import is_draft, payments_of
from freshbooks_sandbox.resources.invoices import v3_status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freshbooks_sandbox.reports.parameters import Params
    from freshbooks_sandbox.resources.documents import Line
    from freshbooks_sandbox.store import Business, Row

ALIASES = {"auto-paid": "autopaid"}


def paid_on(row: Row, business: Business) -> str | None:
    """The date of the last payment of what is paid in full."""
    payments = payments_of(row, business)
    if not payments or sum(part["_cents"] for part in payments) < row["_total"]:
        return None
    return str(max(part["date"] for part in payments))


def chosen(params: Params, business: Business) -> Iterator[Row]:
    """The living invoices of the period, currency, clients and states asked for."""
    by_payment = params.get("date_type") == "paid"
    states = {ALIASES.get(word, word) for word in params["statusids"]}
    for row in business.table("invoices").values():
        if row["vis_state"] == 1 or row["currency_code"] != params["currency_code"]:
            continue
        day = paid_on(row, business) if by_payment else row["create_date"]
        if day is None or not params["start_date"] <= day <= params["end_date"]:
            continue
        if params["clientids"] and row["customerid"] not in params["clientids"]:
            continue
        if states and v3_status(row, business) not in states:
            continue
        yield row


def _sold_on(row: Row, client: Row) -> dict[str, Any]:
    return {
        "invoiceid": row["id"],
        "invoice_number": row["invoice_number"],
        "create_date": row["create_date"],
        "organization": client["organization"],
        "fname": client["fname"],
        "lname": client["lname"],
    }


def _sold(line: Line, discount: int, code: str) -> dict[str, Any]:
    return {
        "qty": line.qty,
        "unit_cost": money(line.unit_cost, code),
        "discount": money(discount, code),
        "amount": money(line.amount, code),
    }


def _item_sales(params: Params, business: Business) -> Mapping[str, Any]:
    """Lines by name; drafts only where `statusids` asks for them."""
    code, clients = params["currency_code"], business.table("clients")
    items: dict[str, dict[str, Any]] = {}
    for row in chosen(params, business):
        if is_draft(row) and not params["statusids"]:
            continue
        client, status = clients[row["customerid"]], v3_status(row, business)
        for line in row["_lines"]:
            if params["item_names"] and line.name not in params["item_names"]:
                continue
            discount = -share(line.amount, row.get("discount_value", "0"))
            item = items.setdefault(
                line.name, {"amount": 0, "discount": 0, "qty": Decimal(0), "invoices": []}
            )
            item["amount"] += line.amount
            item["discount"] += discount
            item["qty"] += Decimal(line.qty)
            item["invoices"].append(
                {**_sold_on(row, client), **_sold(line, discount, code), "v3_status": status}
            )
    return {
        **company(business),
        **{name: params[name] for name in ("currency_code", "end_date")},
        **{name: params[name] for name in ("clientids", "item_names")},
        "total": money(sum(item["amount"] for item in items.values()), code),
        "total_discount": money(sum(item["discount"] for item in items.values()), code),
        "total_qty": str(sum((item["qty"] for item in items.values()), Decimal(0))),
        "items": [
            {
                "name": name,
                "total": money(item["amount"], code),
                "total_discount": money(item["discount"], code),
                "total_qty": str(item["qty"]),
                "invoices": item["invoices"],
            }
            for name, item in sorted(items.items())
        ],
    }


SALES_TYPES = ("collected", "billed")


def _sales_type(name: str, values: list[str]) -> str:
    if values[-1] not in SALES_TYPES:
        raise _no_sales_type(name, values[-1])
    return values[-1]


def _no_sales_type(name: str, value: str) -> ApiError:
    return ApiError(422, "Invalid value for sales_type.", 1004, name, value, "report")


def _required(_business: Business) -> str:
    raise _no_sales_type("sales_type", "")


def _revenues(params: Params, business: Business) -> Iterator[tuple[int, str, int]]:
    """Client, date and cents: payments where it is collected, invoices where it is billed."""
    if params["sales_type"] == "collected":
        for row in business.table("payments").values():
            if row["vis_state"] != 1 and row["_code"] == params["currency_code"]:
                yield row["clientid"], row["date"], row["_cents"]
        return
    for row in business.table("invoices").values():
        if is_booked(row) and row["currency_code"] == params["currency_code"]:
            yield row["customerid"], row["create_date"], row["_total"]


def _revenue_by_client(params: Params, business: Business) -> Mapping[str, Any]:
    code = params["currency_code"]
    months = columns(params["start_date"], params["end_date"], 1)
    labels = [f"{start[:7]}-01" for start, _ in months]
    places = {label[:7]: place for place, label in enumerate(labels)}
    sums: dict[int, list[int]] = {}
    for key, day, amount in _revenues(params, business):
        if not params["start_date"] <= day <= params["end_date"]:
            continue
        if params["clientids"] and key not in params["clientids"]:
            continue
        sums.setdefault(key, [0] * len(labels))[places[day[:7]]] += amount
    clients = business.table("clients")
    totals = [sum(column) for column in zip(*sums.values(), strict=True)] or [0] * len(labels)
    return {
        **{name: params[name] for name in ("clientids", "currency_code", "start_date")},
        **{name: params[name] for name in ("end_date", "sales_type")},
        "labels": labels,
        "clients": [
            {
                "userid": key,
                **{name: clients[key][name] for name in ("organization", "fname", "lname")},
                "total": money(sum(sums[key]), code),
                "data": [money(amount, code) for amount in sums[key]],
            }
            for key in sorted(sums)
        ],
        "total_sales": money(sum(totals), code),
        "total_sales_data": [money(amount, code) for amount in totals],
    }


CHOICE = {"clientids": COMMA_NUMBERS, "statusids": COMMA_TEXTS}
ITEM_SALES = report(
    "item_sales",
    _item_sales,
    {**PERIOD, "currency_code": CURRENCY, **CHOICE, "item_names": COMMA_TEXTS},
)
REVENUE_BY_CLIENT = report(
    "revenue_by_client",
    _revenue_by_client,
    {
        **PERIOD,
        "sales_type": Parameter(_sales_type, _required),
        "currency_code": CURRENCY,
        "clientids[]": NUMBERS,
    },
)
