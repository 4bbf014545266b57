"""All resources that are served. A new one is declared in a module here and listed below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bill_payments import BILL_PAYMENTS
from .bill_vendors import BILL_VENDORS
from .bills import BILLS
from .callbacks import CALLBACKS
from .catalogue import ITEMS, TAXES
from .chart_of_accounts import CHART_OF_ACCOUNTS, CHART_VIEW
from .clients import CLIENTS
from .credit_notes import CREDIT_NOTES
from .estimates import ESTIMATES
from .expense_overviews import EXPENSE_SUMMARIES, EXPENSE_VENDORS
from .expense_profiles import EXPENSE_PROFILES
from .expenses import EXPENSE_CATEGORIES, EXPENSES
from .gateways import GATEWAYS
from .group_members import BUSINESS_GROUP, BUSINESS_GROUP_MEMBERS
from .invoice_profiles import INVOICE_PROFILES
from .invoices import INVOICES
from .journal import JOURNAL_ENTRY_ACCOUNTS, JOURNAL_ENTRY_DETAILS
from .journal_entries import JOURNAL_ENTRIES
from .ledger_accounts import LEDGER_ACCOUNT_SUB_TYPES, LEDGER_ACCOUNT_TYPES, LEDGER_ACCOUNTS
from .online_payments import (
    ACCOUNT_OPTIONS,
    CHECKOUT_LINKS,
    INVOICE_OPTIONS,
    PAYMENT_GATEWAYS,
    PAYMENT_OPTIONS,
)
from .other_incomes import OTHER_INCOMES
from .payments import PAYMENTS
from .project_rooms import ABILITIES, PROJECT_GROUPS, PROJECT_THREADS
from .projects import PROJECTS, SERVICES
from .rates import INVITATION_RATES, SERVICE_RATES, TEAM_MEMBER_RATES
from .retainers import RETAINERS
from .share_links import INVOICE_SHARE_LINKS, SHARE_LINK_VIEW
from .staffs import STAFFS
from .systems import INVOICE_PRESENTATION, PRESENTATION_VIEW, SYSTEM_VIEW, SYSTEMS
from .tasks import BILLABLE_ITEMS, TASKS
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
    *(INVOICE_PROFILES, CREDIT_NOTES, OTHER_INCOMES, BILLS, BILL_VENDORS, BILL_PAYMENTS, STAFFS),
    *(TASKS, BILLABLE_ITEMS, EXPENSE_PROFILES, EXPENSE_VENDORS, EXPENSE_SUMMARIES, GATEWAYS),
    *(SYSTEMS, INVOICE_PRESENTATION, INVOICE_SHARE_LINKS),
    *(JOURNAL_ENTRY_ACCOUNTS, JOURNAL_ENTRY_DETAILS, JOURNAL_ENTRIES, CHART_OF_ACCOUNTS),
    *(LEDGER_ACCOUNT_TYPES, LEDGER_ACCOUNT_SUB_TYPES),
)
BY_NAME = {resource.name: resource for resource in RESOURCES}
VIEWS: tuple[View, ...] = (
    *(TIME_ENTRY_SEARCH, BUSINESS_GROUP, ACCOUNT_OPTIONS, INVOICE_OPTIONS),
    *(SYSTEM_VIEW, PRESENTATION_VIEW, SHARE_LINK_VIEW, CHART_VIEW),
)
