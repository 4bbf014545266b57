"""The declaration of a report: its paths, the parameters it honours, and its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import UNKNOWN_ROUTE, ApiError
from freshbooks_sandbox.families.base import encode
from freshbooks_sandbox.guards import ledger_scope
from freshbooks_sandbox.reports.parameters import download_token, effective
from freshbooks_sandbox.view import View

if TYPE_CHECKING:
    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.reports.parameters import Parameter, Params
    from freshbooks_sandbox.resource import AnyScope
    from freshbooks_sandbox.store import Business

Make = Callable[["Params", "Business"], Mapping[str, Any]]
Guard = Callable[["FilterContext"], None]
Defaults = Callable[["Params", "FilterContext"], "Params"]
SCOPE = "user:reports:read"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """The place of a report, its key in `result`, and its peculiarities."""

    place: tuple[str, str]
    key: str
    guard: Guard | None = None
    defaults: Defaults | None = None
    denied_status: int = 401
    more_scopes: AnyScope = ()


def report(
    name: str,
    make: Make,
    parameters: Mapping[str, Parameter],
    *,
    path: str | None = None,
    key: str | None = None,
    guard: Guard | None = None,
    defaults: Defaults | None = None,
    denied_status: int = 401,
) -> View:
    """A report of `/accounting/account/{account_id}/reports/accounting/`.

    `guard` may refuse it, `defaults` complete the parameters by the behaviours.
    """
    kind = _Kind(
        place=("accounting", f"reports/accounting/{path or name}"),
        key=key or path or name,
        guard=guard,
        defaults=defaults,
        denied_status=denied_status,
    )
    return _view(name, make, parameters, kind)


def ledger_report(name: str, make: Make, parameters: Mapping[str, Parameter]) -> View:
    """One of `/accounting/businesses/{business_uuid}/reports/`, in the old envelope."""
    kind = _Kind(place=("ledger", f"reports/{name}"), key=name, more_scopes=ledger_scope)
    return _view(name, make, parameters, kind)


def is_there(context: FilterContext) -> None:
    """Whether a report that moved still answers at its old path.

    See docs/freshbooks-api/accounting.md §11.
    """
    if context.behaviours.account_reports == "gone":
        raise ApiError(404, body={"message": UNKNOWN_ROUTE})


def _view(name: str, make: Make, parameters: Mapping[str, Parameter], kind: _Kind) -> View:
    def build(query: Query, context: FilterContext, _key: str | None) -> bytes:
        if kind.guard is not None:
            kind.guard(context)
        business = context.business
        params = effective(parameters, query, business)
        if kind.defaults is not None:
            params = kind.defaults(params, context)

        def body() -> bytes:
            token = download_token(name, params, business)
            result = {**make(params, business), "download_token": token}
            return encode({"response": {"result": {kind.key: result}}})

        return business.cached(("report", kind.place, encode(params)), body)

    # A customer gets nothing: it is unknown what a report would hold for one.
    return View(
        name=f"report_{name}",
        paths=(kind.place,),
        any_scope=(SCOPE,),
        build=build,
        is_for_clients=False,
        more_scopes=kind.more_scopes,
        denied_status=kind.denied_status,
    )


def company(business: Business) -> dict[str, str]:
    """`company_name`."""
    return {"company_name": business.name}
