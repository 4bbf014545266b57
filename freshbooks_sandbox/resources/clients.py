"""Clients: the customers of a business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text, utc_text
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.money import money
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.resources import late_terms
from freshbooks_sandbox.resources.balances import is_draft, outstanding_cents, overdue_cents
from freshbooks_sandbox.resources.credit_notes import available
from freshbooks_sandbox.resources.documents import keep_address
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freshbooks_sandbox.store import Business, Row

BLANK = {
    "accounting_systemid": None,
    "allow_email_include_pdf": False,
    "allow_late_fees": True,
    "allow_late_notifications": True,
    "bus_phone": "",
    "company_industry": None,
    "company_size": None,
    "currency_code": "CAD",
    "direct_link_token": None,
    "email": "",
    "exceeds_client_limit": 0,
    "fax": "",
    "fname": "",
    "has_retainer": None,
    "home_phone": None,
    "language": "en",
    "last_activity": None,
    "last_login": None,
    "level": 0,
    "lname": "",
    "mob_phone": "",
    "note": None,
    "notified": False,
    "num_logins": 0,
    "number_format": None,
    "organization": "",
    **{f"p_{part}": "" for part in ("street", "street2", "city", "province", "code", "country")},
    "pref_email": True,
    "pref_gmail": False,
    "retainer_id": None,
    "role": "client",
    **{f"s_{part}": "" for part in ("street", "street2", "city", "province", "code", "country")},
    "statement_token": None,
    "subdomain": None,
    "username": "",
    "vat_name": None,
    "vat_number": "",
    "vis_state": 0,
}


def _computed(row: Row, business: Business) -> Mapping[str, Any]:
    return {
        "accounting_systemid": business.account_id,
        "uuid": business.uuid_of("client", row["id"]),
    }


def _invoices(row: Row, business: Business) -> list[Row]:
    invoices = business.index("invoices", "customerid").get(row["id"], [])
    return [invoice for invoice in invoices if invoice["vis_state"] != 1]


def _balance(cents: Callable[[Row, Business], int]) -> Callable[[Row, Business], Any]:
    """One entry per currency; an empty list when nothing is owed.

    See docs/freshbooks-api/resources/clients.yaml.
    """

    def include(row: Row, business: Business) -> list[dict[str, Any]]:
        sums: dict[str, int] = {}
        for invoice in _invoices(row, business):
            code = invoice["currency_code"]
            sums[code] = sums.get(code, 0) + cents(invoice, business)
        return [{"amount": money(total, code)} for code, total in sums.items() if total]

    return include


def _sent(cents: Callable[[Row, Business], int]) -> Callable[[Row, Business], int]:
    return lambda row, business: 0 if is_draft(row) else cents(row, business)


def _draft(row: Row, _business: Business) -> int:
    return row["_total"] if is_draft(row) else 0


def _total(include: Callable[[Row, Business], list[dict[str, Any]]]) -> filters.Getter:
    return lambda row, business: sum(
        float(entry["amount"]["amount"]) for entry in include(row, business)
    )


_outstanding = _balance(_sent(outstanding_cents))
_overdue = _balance(overdue_cents)
_drafts = _balance(_draft)


def _contacts(row: Row, _business: Business) -> list[dict[str, Any]]:
    """Secondary contacts, one on every fourth client."""
    if row["id"] % 4:
        return []
    return [
        {
            "contactid": row["id"] * 10 + 1,
            "userid": row["id"],
            "fname": row["fname"],
            "lname": row["lname"],
            "email": f"accounts.{row['id']}@example.com",
            "phone1": row.get("bus_phone", ""),
            "phone2": "",
            "face": None,
        }
    ]


def _last_activity(row: Row, business: Business) -> str | None:
    moments = [invoice["updated"] for invoice in _invoices(row, business)]
    return eastern_text(max(moments)) if moments else None


def _on_write(row: Row, before: Row | None, business: Business, now: int) -> None:
    """A change of name moves drafts and profiles, and leaves what was sent.

    See docs/freshbooks-api/accounting.md §5.
    """
    if before is None or before["organization"] == row["organization"]:
        return
    for name in ("invoices", "estimates"):
        for document in business.index(name, "customerid").get(row["id"], []):
            if name == "invoices" and is_draft(document) and document["vis_state"] != 1:
                document["updated"] = now
                business.notify("invoices", "update", document, is_caused=True)
            else:
                keep_address(document, before)
    for note in business.index("credit_notes", "clientid").get(row["id"], []):
        keep_address(note, before)
    for profile in business.index("invoice_profiles", "customerid").get(row["id"], []):
        if profile["vis_state"] != 1:
            profile["updated"] = now
            business.notify("invoice_profiles", "update", profile, is_caused=True)


def _to_columns(body: Mapping[str, Any], row: Row | None, _business: Business) -> dict[str, Any]:
    columns = {name: value for name, value in body.items() if name in BLANK and name not in IGNORED}
    if row is None and not columns.get("organization"):
        # Filled with the full name, or the e-mail, when left out
        # (docs/freshbooks-api/resources/clients.yaml).
        name = f"{columns.get('fname') or ''} {columns.get('lname') or ''}".strip()
        columns["organization"] = name or columns.get("email") or ""
    if row is None:
        names = f"{columns.get('fname', '')}{columns.get('lname', '')}"
        columns.setdefault("username", names.casefold())
    return columns


IGNORED = (
    *("accounting_systemid", "level", "role", "statement_token", "direct_link_token"),
    *("num_logins", "last_login", "last_activity"),
)


def _defaults(business: Business, _now: int) -> dict[str, Any]:
    blank = ("organization", "fname", "lname", "vat_name", "vat_number")
    address = {name: value for name, value in BLANK.items() if name.startswith("p_")}
    return {
        **{name: BLANK[name] for name in blank},
        **address,
        "email": "",
        "currency_code": business.currency,
    }


def _name(row: Row, _business: Business) -> str:
    return f"{row['fname']} {row['lname']}".casefold()


def _phones(row: Row, _business: Business) -> str:
    names = ("mob_phone", "home_phone", "bus_phone", "fax")
    return " ".join(row.get(name) or "" for name in names)


def _street(row: Row, _business: Business) -> str:
    return " ".join(row[name] for name in ("p_street", "p_city", "p_province", "p_code"))


CLIENTS = Resource(
    name="clients",
    family=ACCOUNTING,
    path="users/clients",
    plural="clients",
    single="client",
    scope="clients",
    alias="userid",
    blank=BLANK,
    computed=_computed,
    timestamps={"signup_date": ("_signup", utc_text), "updated": ("updated", eastern_text)},
    hidden=("_signup",),
    client_key="id",
    filters={
        **filters.updated(),
        "email": filters.word("email"),
        "userid": filters.number("id"),
        "userids": filters.numbers("id"),
        "username": filters.word("username"),
        "address_like": filters.like(_street),
        "email_like": filters.like("email"),
        "fname_like": filters.like("fname"),
        "lname_like": filters.like("lname"),
        "note_like": filters.like("note"),
        "organization_like": filters.like("organization"),
        "phone_like": filters.like(_phones),
        "user_like": filters.like("organization", "email", _name),
        "has_credit": filters.flag(available),
        "has_draft": filters.flag(_drafts),
        "has_outstanding": filters.flag(_outstanding),
        "has_overdue": filters.flag(_overdue),
        "vis_state": filters.number("vis_state"),
    },
    sorts={
        "organization_name": lambda row, _: row["organization"].casefold(),
        "fullname": _name,
        "email": lambda row, _: row["email"],
        "updated": lambda row, _: row["updated"],
        "client_id": lambda row, _: row["id"],
        "bus_phone": lambda row, _: row.get("bus_phone", ""),
        "primarycontact": _name,
        "outstanding": _total(_outstanding),
        "overdue": _total(_overdue),
        "credit": _total(available),
    },
    unknown_sort_ascends=True,
    includes={
        "outstanding_balance": _outstanding,
        "credit_balance": available,
        "draft_balance": _drafts,
        "overdue_balance": _overdue,
        "grand_total_balance": _balance(lambda row, _: row["_total"]),
        "last_activity": _last_activity,
        "late_reminders": late_terms.reminders("userid"),
        "late_fee": late_terms.fee("userid"),
        "contacts": _contacts,
    },
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        defaults=_defaults,
        created=("_signup",),
    ),
)
