"""The reports, computed from what the businesses hold."""

from __future__ import annotations

from freshbooks_sandbox.reports.aging import ACCOUNTS_AGING, ACCOUNTS_PAYABLE_AGING
from freshbooks_sandbox.reports.ledgers import (
    GENERAL_LEDGER,
    MODERN_GENERAL_LEDGER,
    MODERN_TRIAL_BALANCE,
    TRIAL_BALANCE,
)
from freshbooks_sandbox.reports.profit_loss import MODERN_PROFIT_LOSS, PROFIT_LOSS
from freshbooks_sandbox.reports.receipts import (
    ACCOUNT_STATEMENT,
    BANK_RECONCILIATION_SUMMARY,
    PAYMENTS_COLLECTED,
)
from freshbooks_sandbox.reports.sales import INVOICE_DETAILS, ITEM_SALES, REVENUE_BY_CLIENT
from freshbooks_sandbox.reports.spending import EXPENSE_DETAILS, MODERN_EXPENSE_DETAILS
from freshbooks_sandbox.reports.statements import BALANCE_SHEET, CASH_FLOW, MODERN_CASH_FLOW
from freshbooks_sandbox.reports.taxes import TAX_SUMMARY

REPORTS = (
    *(PROFIT_LOSS, GENERAL_LEDGER, CASH_FLOW, BALANCE_SHEET, TRIAL_BALANCE, TAX_SUMMARY),
    *(ACCOUNTS_AGING, ACCOUNTS_PAYABLE_AGING, BANK_RECONCILIATION_SUMMARY, EXPENSE_DETAILS),
    *(INVOICE_DETAILS, ITEM_SALES, PAYMENTS_COLLECTED, REVENUE_BY_CLIENT, ACCOUNT_STATEMENT),
    *(MODERN_PROFIT_LOSS, MODERN_GENERAL_LEDGER, MODERN_TRIAL_BALANCE, MODERN_CASH_FLOW),
    MODERN_EXPENSE_DETAILS,
)
