"""The facts that are unconfirmed: one option for each, with all answers that are possible.

The first value of each is the default. docs/sandbox.md explains them for users.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, get_args, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Behaviours:
    """The sandbox's answers where the facts leave a question open.

    `updated_filter_ignored` names the accounting resources, separated by commas, on which
    `search[updated_min]` has no effect; `all` for every one (docs/freshbooks-api/accounting.md §4).
    """

    updated_filter_ignored: str = ""
    updated_day_zone: Literal["eastern", "utc"] = "eastern"
    old_access_token: Literal["lives", "dies"] = "lives"  # noqa: S105
    refresh_created_at: Literal["now", "original"] = "now"
    pkce: Literal["checked", "ignored"] = "checked"
    deleted_projects: Literal["listed", "ignored"] = "listed"
    archived_projects: Literal["hidden", "shown"] = "hidden"
    bad_page: Literal["422", "400", "first"] = "422"
    services_paging: Literal["honoured", "ignored"] = "honoured"
    time_entries_default: Literal["unpaged", "30"] = "unpaged"
    others_time: Literal["hidden", "shown"] = "hidden"
    running_timers: Literal["hidden", "shown"] = "hidden"
    total: Literal["all", "visible"] = "all"
    team_members_per_page: Literal["5", "30"] = "5"
    accounting_errors: Literal["old", "new"] = "old"
    missing_scope: Literal["captured", "short"] = "captured"
    bill_vendorid: Literal["absent", "shown"] = "absent"
    journal_envelope: Literal["manualJournalEntries", "data", "journalEntries", "list"] = (
        "manualJournalEntries"
    )
    presumed_lists: Literal["served", "missing"] = "served"
    inactive_retainers: Literal["hidden", "shown"] = "hidden"
    invitation_rates: Literal["empty", "filled"] = "empty"
    payables_aging: Literal["refused", "granted"] = "refused"
    payments_collected: Literal["business", "all"] = "business"
    expense_groups: Literal["flat", "nested"] = "flat"
    side_unauthenticated: Literal["common", "own"] = "common"
    callbacks_of: Literal["account", "application"] = "account"
    changed_uri: Literal["unverified", "verified"] = "unverified"
    resent_verifier: Literal["same", "new"] = "same"
    message_fields: Literal["documented", "recorded"] = "documented"
    caused_events: Literal["silent", "sent"] = "silent"

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Behaviours:
        """Check names and values.

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
        return replace(cls(), **settings)  # type: ignore[arg-type]

    def honours_updated(self, resource: str) -> bool:
        """Whether `search[updated_min]` narrows the list of `resource`."""
        ignored = self.updated_filter_ignored.split(",")
        return "all" not in ignored and resource not in ignored
