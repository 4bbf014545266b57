"""All resources that are served. A new one is declared in a module here and listed below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freshbooks_sandbox.resources.bill_payments import BILL_PAYMENTS
from freshbooks_sandbox.resources.bill_vendors import BILL_VENDORS
from freshbooks_sandbox.resources.bills import BILLS
from freshbooks_sandbox.resources.callbacks import CALLBACKS
from freshbooks_sandbox.resources.catalogue import ITEMS, TAXES
from freshbooks_sandbox.resources.chart_of_accounts import CHART_OF_ACCOUNTS, CHART_VIEW
from freshbooks_sandbox.resources.clients import CLIENTS
from freshbooks_sandbox.resources.credit_notes import CREDIT_NOTES
from freshbooks_sandbox.resources.estimates import ESTIMATES
from freshbooks_sandbox.resources.expense_overviews import EXPENSE_SUMMARIES, EXPENSE_VENDORS
from freshbooks_sandbox.resources.expense_profiles import EXPENSE_PROFILES
from freshbooks_sandbox.resources.expenses import EXPENSE_CATEGORIES, EXPENSES
from freshbooks_sandbox.resources.gateways import GATEWAYS
from freshbooks_sandbox.resources.group_members import BUSINESS_GROUP, BUSINESS_GROUP_MEMBERS
from freshbooks_sandbox.resources.invoice_profiles import INVOICE_PROFILES
from freshbooks_sandbox.resources.invoices import INVOICES
from freshbooks_sandbox.resources.journal import JOURNAL_ENTRY_ACCOUNTS, JOURNAL_ENTRY_DETAILS
from freshbooks_sandbox.resources.journal_entries import JOURNAL_ENTRIES
from freshbooks_sandbox.resources.ledger_accounts import (
    LEDGER_ACCOUNT_SUB_TYPES,
    LEDGER_ACCOUNT_TYPES,
    LEDGER_ACCOUNTS,
)
from freshbooks_sandbox.resources.online_payments import (
    ACCOUNT_OPTIONS,
    CHECKOUT_LINKS,
    INVOICE_OPTIONS,
    PAYMENT_GATEWAYS,
    PAYMENT_OPTIONS,
)
from freshbooks_sandbox.resources.other_incomes import OTHER_INCOMES
from freshbooks_sandbox.resources.payments import PAYMENTS
from freshbooks_sandbox.resources.project_rooms import ABILITIES, PROJECT_GROUPS, PROJECT_THREADS
from freshbooks_sandbox.resources.projects import PROJECTS, SERVICES
from freshbooks_sandbox.resources.rates import INVITATION_RATES, SERVICE_RATES, TEAM_MEMBER_RATES
from freshbooks_sandbox.resources.retainers import RETAINERS
from freshbooks_sandbox.resources.share_links import INVOICE_SHARE_LINKS, SHARE_LINK_VIEW
from freshbooks_sandbox.resources.staffs import STAFFS
from freshbooks_sandbox.resources.systems import (
    INVOICE_PRESENTATION,
    PRESENTATION_VIEW,
    SYSTEM_VIEW,
    SYSTEMS,
)
from freshbooks_sandbox.resources.tasks import BILLABLE_ITEMS, TASKS
from freshbooks_sandbox.resources.team_members import TEAM_MEMBERS
from freshbooks_sandbox.resources.time_entries import TIME_ENTRIES
from freshbooks_sandbox.resources.time_entry_search import TIME_ENTRY_DETAILS, TIME_ENTRY_SEARCH
from freshbooks_sandbox.resources.timers import TIMERS

if TYPE_CHECKING:
    from freshbooks_sandbox.view import View

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
