"""The facts that are unconfirmed: one option for each, with all answers that are possible.

The first value of each is the default. docs/sandbox.md explains them for users.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, get_args, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Names = str
"""Names of resources, separated by commas; empty for none, `all` for every one."""


@dataclass(frozen=True)
class Behaviours:
    """The sandbox's answers where the facts leave a question open.

    Those of the kind `Names` name the resources on which the unusual holds, separated by commas;
    `all` for every one.
    """

    updated_filter_ignored: Names = ""
    deleted_filter_ignored: Names = ""
    deleted_unreadable: Names = ""
    search_ignored: Names = ""
    includes_ignored: Names = ""
    sort_ignored: Names = ""
    oldest_first: Names = ""
    small_pages: Names = ""
    page_metadata_missing: Names = ""
    envelope: Names = ""
    totals: Names = ""
    scopes: Names = ""
    default_per_page: Names = ""
    repeated_rows: Names = ""
    unknown_fields: Names = ""
    other_kinds: Names = ""
    unknown_words: Names = ""
    utc_timestamps: Names = ""
    updated_day_zone: Literal["eastern", "utc"] = "eastern"
    old_access_token: Literal["lives", "dies"] = "lives"  # noqa: S105
    refresh_created_at: Literal["now", "original"] = "now"
    default_scopes: Literal["registered", "profile"] = "registered"
    pkce: Literal["checked", "ignored"] = "checked"
    deleted_projects: Literal["listed", "ignored"] = "listed"
    archived_projects: Literal["hidden", "shown"] = "hidden"
    bad_page: Literal["422", "400", "first"] = "422"
    page_cap: Literal["100", "none"] = "100"
    per_page_echo: Literal["effective", "asked"] = "effective"
    past_the_end: Literal["asked", "last"] = "asked"
    rate_limit_headers: Literal["sent", "absent"] = "sent"
    rate_limit_windows: Literal["one", "several"] = "one"
    services_paging: Literal["honoured", "ignored"] = "honoured"
    time_entries_default: Literal["unpaged", "30"] = "unpaged"
    others_time: Literal["hidden", "shown"] = "hidden"
    running_timers: Literal["hidden", "shown"] = "hidden"
    total: Literal["all", "visible"] = "all"
    deleted_time: Literal["listed", "ignored"] = "listed"
    team_members_per_page: Literal["5", "30"] = "5"
    accounting_errors: Literal["old", "new"] = "old"
    missing_scope: Literal["captured", "short"] = "captured"
    accounting_missing_scope: Literal["message", "error", "errors"] = "message"
    ledger_scopes: Literal["account", "journal_entries"] = "account"
    credit_note_key: Literal["credit_note", "credit_notes"] = "credit_note"
    staff_key: Literal["staff", "staffs"] = "staff"
    bill_category: Literal["object", "text"] = "object"
    bill_vendorid: Literal["absent", "shown"] = "absent"
    journal_envelope: Literal["manualJournalEntries", "data", "journalEntries", "list"] = (
        "manualJournalEntries"
    )
    journal_version: Literal["required", "optional"] = "required"
    threads_envelope: Literal["threads", "data", "list"] = "threads"
    checkout_links_envelope: Literal["checkout_links", "checkout-links", "list"] = "checkout_links"
    presumed_lists: Literal["served", "missing"] = "served"
    line_dates: Literal["plain", "timed"] = "plain"
    late_fee_value: Literal["number", "text"] = "number"
    late_reminder_id: Literal["number", "text"] = "number"
    use_ledger_entries: Literal["optional", "required"] = "optional"
    inactive_accounts: Literal["shown", "hidden"] = "shown"
    inactive_retainers: Literal["hidden", "shown"] = "hidden"
    invitation_rates: Literal["empty", "filled"] = "empty"
    account_reports: Literal["served", "gone"] = "served"
    feature_flags: Literal["gate", "unrelated"] = "gate"
    payables_aging: Literal["refused", "granted"] = "refused"
    payments_collected: Literal["business", "all"] = "business"
    expense_groups: Literal["flat", "nested"] = "flat"
    side_unauthenticated: Literal["common", "own"] = "common"
    callback_timestamps: Literal["iso", "sql"] = "iso"
    callbacks_of: Literal["account", "application"] = "account"
    changed_uri: Literal["unverified", "verified"] = "unverified"
    resent_verifier: Literal["same", "new"] = "same"
    message_fields: Literal["documented", "recorded"] = "documented"
    caused_events: Literal["silent", "sent"] = "silent"

    @classmethod
    def of(cls, settings: Mapping[str, str], resources: Collection[str]) -> Behaviours:
        """Check names and values.

        Args:
            settings: The values that shall differ from the default, by name.
            resources: The names of all resources.

        Raises:
            ValueError: For a name or value that does not exist; the text lists those that do.
        """
        hints = get_type_hints(cls)
        for name, value in settings.items():
            if name not in hints:
                known = ", ".join(field.name for field in fields(cls))
                raise ValueError(f"There is no behaviour named {name!r}. Known: {known}")
            choices = get_args(hints[name])
            if choices and value not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}; not {value!r}")
            unknown = set() if choices else {*value.split(",")} - {*resources, "all", ""}
            if unknown:
                raise ValueError(f"{name}: there is no resource {', '.join(sorted(unknown))}")
        return replace(cls(), **settings)  # type: ignore[arg-type]


def named(names: str, resource: str) -> bool:
    """Whether a behaviour of the kind `Names` names a resource."""
    return names == "all" or resource in names.split(",")
