"""The public link of one invoice; there is no list of them.

See docs/freshbooks-api/resources/invoice_share_links.yaml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.resources.balances import is_draft
from freshbooks_sandbox.view import View

if TYPE_CHECKING:
    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row

METHODS = ("share_link", "email", "sms", "pdf")


def _link(invoice: Row, business: Business, method: str) -> dict[str, Any]:
    token = business.uuid_of("link", invoice["id"])
    return {
        # A string, unlike the id of the invoice itself (docs/freshbooks-api/accounting.md §1).
        "resourceid": str(invoice["id"]),
        "clientid": invoice["customerid"],
        "resource_type": "invoice",
        "share_link": f"https://my.freshbooks.com/#/link/{token}",
        "share_method": method,
    }


def _links(business: Business) -> list[Row]:
    invoices = business.table("invoices").values()
    return [_link(row, business, METHODS[0]) for row in invoices if not is_draft(row)]


INVOICE_SHARE_LINKS = Resource(
    name="invoice_share_links",
    family=ACCOUNTING,
    path=None,
    plural="share_links",
    single="share_link",
    scope="invoices",
    key="resourceid",
    rows=_links,
    visibility=everything,
)


def _share_link(query: Query, context: FilterContext, text: str | None) -> Any:
    business, method = context.business, query.value("share_method") or METHODS[0]
    key = int(text) if text is not None and text.isdecimal() else -1
    invoice = business.table("invoices").get(key)
    is_foreign = business.role == "client" and (
        invoice is None or invoice["customerid"] != business.client_id
    )
    if invoice is None or is_foreign:
        raise ApiError(404, "Invoice not found.", 1012, "invoiceid", text, "invoice")
    if method not in METHODS:
        message = "Invalid value for share_method."
        raise ApiError(422, message, 1004, "share_method", method, "share_link")
    if is_draft(invoice):
        raise ApiError(422, "The invoice has not been sent.", 8034, None, None, None)
    return {"response": {"result": {"share_link": _link(invoice, business, method)}}}


SHARE_LINK_VIEW = View(
    name="invoice_share_links",
    paths=(("accounting", "invoices/invoices/*/share_link"),),
    any_scope=("user:invoices:read",),
    build=_share_link,
)
