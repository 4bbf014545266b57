"""The open questions about single resources."""

from __future__ import annotations

from tap_freshbooks.doctor.question import (
    HONOURED,
    NEEDS_A_MESSAGE,
    NEEDS_A_WRITE,
    NEEDS_TWO_APPS,
    Question,
)

BOOKS = (
    Question(
        "search_ignored",
        "search[…] leaves rows out by other fields, too",
        HONOURED,
        ("docs/freshbooks-api/accounting.md §4",),
        of_each_stream=True,
    ),
    Question(
        "use_ledger_entries",
        "The chart of accounts comes without use_ledger_entries, too",
        ("optional", "required"),
        ("docs/freshbooks-api/resources/chart_of_accounts.yaml",),
    ),
    Question(
        "credit_note_key",
        "A single credit note is under credit_note",
        ("credit_note", "credit_notes"),
        ("docs/freshbooks-api/accounting.md §2", "docs/freshbooks-api/resources/credit_notes.yaml"),
    ),
    Question(
        "staff_key",
        "The list of staff is under staff",
        ("staff", "staffs"),
        ("docs/freshbooks-api/accounting.md §2", "docs/freshbooks-api/resources/staffs.yaml"),
    ),
    Question(
        "bill_category",
        "The category of a bill's line is an object",
        ("object", "text"),
        ("docs/freshbooks-api/accounting.md §10", "docs/freshbooks-api/resources/bills.yaml"),
    ),
    Question(
        "bill_vendorid",
        "Bills have their vendor's id in the include vendor only",
        ("absent", "shown"),
        ("docs/freshbooks-api/resources/bills.yaml",),
    ),
    Question(
        "line_dates",
        "The date of a line is a plain date",
        ("plain", "timed"),
        ("docs/freshbooks-api/accounting.md §6", "docs/freshbooks-api/resources/invoices.yaml"),
    ),
    Question(
        "late_fee_value",
        "The value of a late fee is a number",
        ("number", "text"),
        ("docs/freshbooks-api/accounting.md §6", "docs/freshbooks-api/resources/invoices.yaml"),
    ),
    Question(
        "late_reminder_id",
        "The id of a reminder is a number",
        ("number", "text"),
        ("docs/freshbooks-api/resources/invoices.yaml",),
    ),
    Question(
        "presumed_lists",
        "Lists that were never seen are served",
        ("served", "missing"),
        (
            "docs/freshbooks-api/resources/expense_profiles.yaml",
            "docs/freshbooks-api/resources/billable_items.yaml",
            "docs/freshbooks-api/resources/checkout_links.yaml",
        ),
    ),
    Question(
        "journal_envelope",
        "The journal entries of the new service are under manualJournalEntries",
        ("manualJournalEntries", "data", "journalEntries", "list"),
        (
            "docs/freshbooks-api/accounting.md §2",
            "docs/freshbooks-api/resources/journal_entries.yaml",
        ),
    ),
    Question(
        "journal_version",
        "The journal entries of the new service need the header x-api-version",
        ("required", "optional"),
        (
            "docs/freshbooks-api/accounting.md §9",
            "docs/freshbooks-api/resources/journal_entries.yaml",
        ),
    ),
    Question(
        "inactive_accounts",
        "The ledger lists accounts that are not active, too",
        ("shown", "hidden"),
        (
            "docs/freshbooks-api/resources/ledger_accounts.yaml",
            "docs/freshbooks-api/resources/chart_of_accounts.yaml",
        ),
    ),
    Question(
        "checkout_links_envelope",
        "Checkout links are under checkout_links",
        ("checkout_links", "checkout-links", "list"),
        ("docs/freshbooks-api/resources/checkout_links.yaml",),
    ),
    Question(
        "callback_timestamps",
        "Timestamps of callbacks have a T, and are UTC",
        ("iso", "sql"),
        (
            "docs/freshbooks-api/projects-and-time.md §4",
            "docs/freshbooks-api/resources/callbacks.yaml",
        ),
    ),
)
"""Single resources of accounting, the ledger, payments and events."""

WORK = (
    Question(
        "deleted_projects",
        "active=false lists deleted projects",
        ("listed", "ignored"),
        (
            "docs/freshbooks-api/projects-and-time.md §5",
            "docs/freshbooks-api/resources/projects.yaml",
        ),
    ),
    Question(
        "archived_projects",
        "Archived projects are hidden without complete=true",
        ("hidden", "shown"),
        (
            "docs/freshbooks-api/projects-and-time.md §5",
            "docs/freshbooks-api/resources/projects.yaml",
        ),
    ),
    Question(
        "services_paging",
        "Services come in pages",
        HONOURED,
        ("docs/freshbooks-api/resources/services.yaml",),
    ),
    Question(
        "others_time",
        "Without team=true, only the user's own time entries come",
        ("hidden", "shown"),
        (
            "docs/freshbooks-api/projects-and-time.md §6",
            "docs/freshbooks-api/resources/time_entries.yaml",
        ),
    ),
    Question(
        "running_timers",
        "Without include_unlogged=true, no time entries of running timers come",
        ("hidden", "shown"),
        (
            "docs/freshbooks-api/projects-and-time.md §6",
            "docs/freshbooks-api/resources/time_entries.yaml",
        ),
    ),
    Question(
        "deleted_time",
        "include_deleted=true brings deleted time entries too",
        ("listed", "ignored"),
        (
            "docs/freshbooks-api/projects-and-time.md §5",
            "docs/freshbooks-api/resources/time_entries.yaml",
        ),
    ),
    Question(
        "inactive_retainers",
        "The list of retainers leaves deleted ones out",
        ("hidden", "shown"),
        (
            "docs/freshbooks-api/projects-and-time.md §5",
            "docs/freshbooks-api/resources/retainers.yaml",
        ),
    ),
    Question(
        "invitation_rates",
        "The list of invitation rates is always empty",
        ("empty", "filled"),
        ("docs/freshbooks-api/resources/invitation_rates.yaml",),
    ),
    Question(
        "threads_envelope",
        "Discussions of projects are under threads",
        ("threads", "data", "list"),
        ("docs/freshbooks-api/resources/project_threads.yaml",),
    ),
)
"""Projects and time."""

REPORTS = (
    Question(
        "report_parts",
        "A report has the lists and totals that its tables are made of",
        ("known", "other"),
        ("docs/freshbooks-api/accounting.md §13",),
        of_each_stream=True,
    ),
    Question(
        "account_reports",
        "Reports that the documentation has moved to business_uuid are still there by account_id",
        ("served", "gone"),
        ("docs/freshbooks-api/accounting.md §11",),
    ),
    Question(
        "payables_aging",
        "The plan does not include the aging of payables",
        ("refused", "granted"),
        ("docs/freshbooks-api/resources/report_accounts_payable_aging.yaml",),
    ),
    Question(
        "payments_collected",
        "Without currency_codes[], payments in the currency of the business are reported",
        ("business", "all"),
        (
            "docs/freshbooks-api/accounting.md §4",
            "docs/freshbooks-api/resources/report_payments_collected.yaml",
        ),
    ),
    Question(
        "expense_groups",
        "Groups of expense details have no groups below them",
        ("flat", "nested"),
        (
            "docs/freshbooks-api/accounting.md §13",
            "docs/freshbooks-api/resources/report_expense_details.yaml",
        ),
    ),
)
"""Reports."""

WEBHOOKS = (
    Question(
        "callbacks_of",
        "A token lists all callbacks of the account",
        ("account", "application"),
        ("docs/freshbooks-api/webhooks.md §2",),
        untestable=NEEDS_TWO_APPS,
    ),
    Question(
        "changed_uri",
        "A callback with another uri has to be verified again",
        ("unverified", "verified"),
        ("docs/freshbooks-api/webhooks.md §2",),
        untestable=NEEDS_A_WRITE,
    ),
    Question(
        "resent_verifier",
        "A verification that is sent again has the same verifier",
        ("same", "new"),
        ("docs/freshbooks-api/webhooks.md §2",),
        untestable=NEEDS_A_WRITE,
    ),
    Question(
        "message_fields",
        "Messages have the documented fields",
        ("documented", "recorded"),
        ("docs/freshbooks-api/webhooks.md §3", "docs/freshbooks-api/webhooks.md §4"),
        untestable=NEEDS_A_MESSAGE,
    ),
    Question(
        "caused_events",
        "What moves because another object was written causes no event",
        ("silent", "sent"),
        ("docs/freshbooks-api/webhooks.md §6",),
        untestable=NEEDS_A_WRITE,
    ),
)
"""Callbacks and messages."""
