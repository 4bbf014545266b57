"""All resources that are served. A new one is declared in a module here and listed below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .callbacks import CALLBACKS
from .catalogue import ITEMS, TAXES
from .clients import CLIENTS
from .estimates import ESTIMATES
from .expenses import EXPENSE_CATEGORIES, EXPENSES
from .group_members import BUSINESS_GROUP, BUSINESS_GROUP_MEMBERS
from .invoices import INVOICES
from .ledger_accounts import LEDGER_ACCOUNTS
from .online_payments import (
    ACCOUNT_OPTIONS,
    CHECKOUT_LINKS,
    INVOICE_OPTIONS,
    PAYMENT_GATEWAYS,
    PAYMENT_OPTIONS,
)
from .payments import PAYMENTS
from .project_rooms import ABILITIES, PROJECT_GROUPS, PROJECT_THREADS
from .projects import PROJECTS, SERVICES
from .rates import INVITATION_RATES, SERVICE_RATES, TEAM_MEMBER_RATES
from .retainers import RETAINERS
from .team_members import TEAM_MEMBERS
from .time_entries import TIME_ENTRIES
from .time_entry_search import TIME_ENTRY_DETAILS, TIME_ENTRY_SEARCH
from .timers import TIMERS

if TYPE_CHECKING:
    from tap_freshbooks.sandbox.view import View

RESOURCES = (
    *(CLIENTS, INVOICES, ESTIMATES, PAYMENTS, EXPENSES, EXPENSE_CATEGORIES, ITEMS, TAXES),
    *(PROJECTS, TIME_ENTRIES, SERVICES, TEAM_MEMBERS, LEDGER_ACCOUNTS),
    *(RETAINERS, SERVICE_RATES, TEAM_MEMBER_RATES, INVITATION_RATES, ABILITIES, TIMERS),
    *(PROJECT_THREADS, PROJECT_GROUPS, TIME_ENTRY_DETAILS),
    *(BUSINESS_GROUP_MEMBERS, CALLBACKS, PAYMENT_GATEWAYS, PAYMENT_OPTIONS, CHECKOUT_LINKS),
)
BY_NAME = {resource.name: resource for resource in RESOURCES}
VIEWS: tuple[View, ...] = (TIME_ENTRY_SEARCH, BUSINESS_GROUP, ACCOUNT_OPTIONS, INVOICE_OPTIONS)
