"""One class per resource: where it is read, how, and which fields it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.streams.identity import Businesses, Identity
from tap_freshbooks.streams.ledger import LedgerAccounts
from tap_freshbooks.streams.people import Clients
from tap_freshbooks.streams.projects import Projects, Services
from tap_freshbooks.streams.sales import (
    EstimateLines,
    Estimates,
    InvoiceLines,
    Invoices,
    Items,
    Payments,
    Taxes,
)
from tap_freshbooks.streams.spend import ExpenseCategories, Expenses
from tap_freshbooks.streams.time import TimeEntries

if TYPE_CHECKING:
    from tap_freshbooks.streams.base import RecordStream

STREAMS: tuple[type[RecordStream], ...] = (
    Identity,
    Businesses,
    Clients,
    Invoices,
    InvoiceLines,
    Estimates,
    EstimateLines,
    Payments,
    Expenses,
    ExpenseCategories,
    Items,
    Taxes,
    Projects,
    TimeEntries,
    Services,
    LedgerAccounts,
)
