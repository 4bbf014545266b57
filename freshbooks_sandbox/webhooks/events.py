"""The events that a callback can be registered for (docs/freshbooks-api/webhooks.md §6)."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("create", "update", "delete")
BY_EMAIL = "sendByEmail"
VERIFY = "callback.verify"


@dataclass(frozen=True)
class Noun:
    """The object of events: a resource, and the object whose read scope they need."""

    resource: str
    scope: str

    @property
    def read_scope(self) -> str:
        """The full name of the scope."""
        return f"user:{self.scope}:read"


NOUNS = {
    "bill": Noun("bills", "bills"),
    "bill_vendor": Noun("bill_vendors", "bill_vendors"),
    "category": Noun("expense_categories", "expenses"),
    "client": Noun("clients", "clients"),
    "credit_note": Noun("credit_notes", "credit_notes"),
    "estimate": Noun("estimates", "estimates"),
    "expense": Noun("expenses", "expenses"),
    "invoice": Noun("invoices", "invoices"),
    "item": Noun("items", "billable_items"),
    "payment": Noun("payments", "payments"),
    "project": Noun("projects", "projects"),
    "recurring": Noun("invoice_profiles", "invoices"),
    "service": Noun("services", "billable_items"),
    "tax": Noun("taxes", "taxes"),
    "time_entry": Noun("time_entries", "time_entries"),
}
NOUN_OF = {noun.resource: name for name, noun in NOUNS.items()}
KNOWN = {
    *NOUNS,
    *(f"{noun}.{verb}" for noun in NOUNS for verb in VERBS),
    *(f"{noun}.{BY_EMAIL}" for noun in ("estimate", "invoice")),
}


def read_scope(event: str) -> str:
    """The scope that a callback for a known event needs."""
    return NOUNS[event.partition(".")[0]].read_scope


def covers(registered: str, event: str) -> bool:
    """Whether a callback for `registered` gets `event`; a bare noun stands for all of its."""
    return registered in (event, event.partition(".")[0])
