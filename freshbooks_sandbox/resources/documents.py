"""The common parts of invoices and estimates: lines, totals, the client's address on the paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from freshbooks_sandbox.clock import eastern_text
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.money import cents, money, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_sandbox.store import Business, Row


@dataclass(slots=True)
class Line:
    """A line of a document; `unit_cost` in cents, the percents as they are written.

    Equal lines of the seed data are one object, which keeps its encoded form by currency.
    """

    name: str
    description: str
    qty: str
    unit_cost: int
    tax_name1: str | None = None
    percent1: str = "0"
    tax_number1: str | None = None
    tax_name2: str | None = None
    percent2: str = "0"
    tax_number2: str | None = None
    compounded_tax: bool = False
    type: int = 0
    expenseid: int = 0
    date: str | None = None
    modern_project_id: int | None = None
    time_entries: tuple[int, ...] = ()
    _encoded: dict[tuple[str, bool], bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def amount(self) -> int:
        """Cents before tax and discount."""
        return times(self.qty, self.unit_cost)

    def tax(self, discounted: int) -> int:
        """Cents of tax on what is left of the line after the discount."""
        first = share(discounted, self.percent1)
        return first + share(discounted + first * self.compounded_tax, self.percent2)

    def encoded(self, code: str, *, is_timed: bool) -> bytes:
        """All that does not depend on the document, as JSON without the opening brace."""
        key = code, is_timed
        found = self._encoded.get(key)
        if found is None:
            fields = self._fields(code)
            if is_timed and self.date:
                fields["date"] = f"{self.date} 15:43:26"
            found = self._encoded[key] = msgspec.json.encode(fields)[1:]
        return found

    def _fields(self, code: str) -> dict[str, Any]:
        return {
            "type": self.type,
            "name": self.name,
            "description": self.description,
            "qty": self.qty,
            "unit_cost": money(self.unit_cost, code),
            "amount": money(self.amount, code),
            "taxName1": self.tax_name1,
            "taxAmount1": self.percent1,
            "taxNumber1": self.tax_number1,
            "taxName2": self.tax_name2,
            "taxAmount2": self.percent2,
            "taxNumber2": self.tax_number2,
            "compounded_tax": self.compounded_tax,
            "expenseid": self.expenseid,
            "date": self.date,
            "retainer_id": None,
            "retainer_period_id": None,
            "basecampid": 0,
            "modern_project_id": self.modern_project_id,
            "modern_time_entries": [{"id": key} for key in self.time_entries],
        }


@lru_cache(maxsize=4096)
def times(quantity: str, unit_cost: int) -> int:
    """Quantity times price in whole cents, rounded half up."""
    return int((Decimal(quantity) * unit_cost).quantize(Decimal(1), ROUND_HALF_UP))


def totals(lines: Iterable[Line], discount_value: str) -> tuple[int, int]:
    """The discount (negative) and the total after discount and tax, in cents.

    The discount is taken line by line, so that lines, discount and taxes add up to the cent.
    """
    discount = total = 0
    for line in lines:
        reduction = share(line.amount, discount_value)
        left = line.amount - reduction
        discount -= reduction
        total += left + line.tax(left)
    return discount, total


def line_records(row: Row, parent: str, business: Business) -> list[msgspec.Raw]:
    """The lines as `include[]=lines` shows them, encoded."""
    code, is_timed = row["currency_code"], business.behaviours.line_dates == "timed"
    common = f'"{parent}":{row["id"]},"updated":"{eastern_text(row["updated"])}",'.encode()
    return [
        msgspec.Raw(
            b'{"lineid":%d,"taskno":%d,%b%b'
            % (position, position, common, line.encoded(code, is_timed=is_timed))
        )
        for position, line in enumerate(row["_lines"], 1)
    ]


def _percent(value: Any) -> str:
    return "0" if value in (None, "", 0) else str(value)


def read_line(body: Mapping[str, Any]) -> Line:
    """A line from the body of a write.

    Raises:
        ApiError: 422 for a quantity or price that is no number.
    """
    try:
        unit_cost = cents(body.get("unit_cost") or 0)
        Decimal(str(body.get("qty") or 0))
    except (ValueError, InvalidOperation):
        raise ApiError(422, "The field 'unit_cost' must be a number.", 1015, "unit_cost") from None
    return Line(
        name=str(body.get("name") or ""),
        description=str(body.get("description") or ""),
        qty=str(body.get("qty") or "0"),
        unit_cost=unit_cost,
        tax_name1=body.get("taxName1"),
        percent1=_percent(body.get("taxAmount1")),
        tax_number1=body.get("taxNumber1"),
        tax_name2=body.get("taxName2"),
        percent2=_percent(body.get("taxAmount2")),
        tax_number2=body.get("taxNumber2"),
        compounded_tax=bool(body.get("compounded_tax")),
        type=int(body.get("type") or 0),
        expenseid=int(body.get("expenseid") or 0),
        date=body.get("date"),
    )


ADDRESS = {
    "organization": "organization",
    "fname": "fname",
    "lname": "lname",
    "street": "p_street",
    "street2": "p_street2",
    "city": "p_city",
    "province": "p_province",
    "code": "p_code",
    "country": "p_country",
    "vat_name": "vat_name",
    "vat_number": "vat_number",
}


def address(row: Row, business: Business) -> dict[str, Any]:
    """The client on the document: as he was, where that was kept, else as he is."""
    key = row["customerid"]
    current: dict[str, Any] = business.cached(("address", key), lambda: _address_of(key, business))
    if "organization" not in row:
        return current
    kept = {name: row[name] for name in ADDRESS if name in row}
    return {**current, **kept}


def _address_of(key: int, business: Business) -> dict[str, Any]:
    client = business.table("clients")[key]
    written = {name: client[column] for name, column in ADDRESS.items()}
    return {**written, "current_organization": client["organization"]}


def written_address(
    body: Mapping[str, Any], columns: Mapping[str, Any], row: Row | None, business: Business
) -> dict[str, Any]:
    """The address where a body sets a part of it; the rest is then kept as it stands."""
    if not any(name in body for name in ADDRESS):
        return {}
    document = {**(row or {}), **columns}
    standing = address(document, business)
    return {name: body.get(name, standing[name]) for name in ADDRESS}


def keep_address(row: Row, client: Row) -> None:
    """Fix the address of a document before its client changes: all of it or nothing."""
    for name, key in ADDRESS.items():
        row.setdefault(name, client[key])


def due_date(create_date: str, offset: int) -> str:
    """create_date + due_offset_days."""
    return (date.fromisoformat(create_date) + timedelta(days=offset)).isoformat()


def check_date(value: Any, name: str, single: str) -> str:
    """A plain date from a body.

    Raises:
        ApiError: 422 errno 1033.
    """
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ApiError(422, f"{name} must be a date.", 1033, name, value, single) from None


def check_client(body: Mapping[str, Any], name: str, business: Business) -> int:
    """The client that a body refers to.

    Raises:
        ApiError: 404 errno 1012, in the words of docs/freshbooks-api/accounting.md §8.
    """
    value = body[name]
    key = int(value) if str(value).isdecimal() else -1
    if key not in business.table("clients"):
        raise ApiError(404, "Client not found.", 1012, "userid", value, "client")
    return key


def owner(_row: Row, business: Business) -> dict[str, Any]:
    """`include[]=owner`."""
    person = business.profile["owner"]
    return {
        "userid": 1,
        "email": person["email"],
        "fname": person["first_name"],
        "lname": person["last_name"],
        "organization": business.name,
    }


def presentation(row: Row, business: Business, parent: str) -> dict[str, Any]:
    """`include[]=presentation`; a third of the documents were never styled."""
    styled = row["id"] % 3 != 0
    return {
        parent: row["id"],
        "date_format": business.profile["date_format"],
        "theme_font_name": "modern" if styled else None,
        "theme_layout": "simple" if styled else None,
        "theme_primary_color": "#345beb",
        "image_logo_src": None,
        "image_banner_src": None,
        "image_banner_position_y": 0,
        "label": None,
        "description_heading": None,
        "item_heading": None,
        "quantity_heading": None,
        "rate_heading": None,
        "hours_heading": None,
        "task_heading": None,
        "unit_cost_heading": None,
        "time_entry_notes_heading": None,
    }


def empty(_row: Row, _business: Business) -> list[Any]:
    """An include that lists nothing."""
    return []


def nothing(_row: Row, _business: Business) -> None:
    """An include without an object behind it."""
