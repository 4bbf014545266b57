"""All resources that are served. A new one is declared in a module here and listed below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalogue import ITEMS, TAXES
from .clients import CLIENTS
from .estimates import ESTIMATES
from .expenses import EXPENSE_CATEGORIES, EXPENSES
from .invoices import INVOICES
from .ledger_accounts import LEDGER_ACCOUNTS
from .payments import PAYMENTS
from .projects import PROJECTS, SERVICES
from .team_members import TEAM_MEMBERS
from .time_entries import TIME_ENTRIES

if TYPE_CHECKING:
    from tap_freshbooks.sandbox.view import View

RESOURCES = (
    *(CLIENTS, INVOICES, ESTIMATES, PAYMENTS, EXPENSES, EXPENSE_CATEGORIES, ITEMS, TAXES),
    *(PROJECTS, TIME_ENTRIES, SERVICES, TEAM_MEMBERS, LEDGER_ACCOUNTS),
)
BY_NAME = {resource.name: resource for resource in RESOURCES}
VIEWS: tuple[View, ...] = ()
