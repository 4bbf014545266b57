"""The facts and the open questions: which answers are possible, and where it is written.

The sandbox offers the same answers as behaviours; a test compares the two lists.
"""

from __future__ import annotations

from tap_freshbooks.doctor.question import (
    DOCUMENTED,
    HONOURED,
    NEEDS_A_CONSENT,
    Question,
)
from tap_freshbooks.doctor.resource_questions import BOOKS, REPORTS, WEBHOOKS, WORK

LISTS = (
    Question(
        "envelope",
        "The rows are where the tap reads them",
        ("known", "elsewhere"),
        ("docs/freshbooks-api/accounting.md §2", "docs/freshbooks-api/projects-and-time.md §1"),
        of_each_stream=True,
    ),
    Question(
        "page_metadata_missing",
        "Page, pages and total stand beside a list that has pages",
        ("there", "missing"),
        ("docs/freshbooks-api/accounting.md §3", "docs/freshbooks-api/projects-and-time.md §2"),
        of_each_stream=True,
    ),
    Question(
        "totals",
        "A list that fits on one page has as many rows as its total says",
        ("agree", "disagree"),
        ("docs/freshbooks-api/accounting.md §3",),
        of_each_stream=True,
    ),
    Question(
        "repeated_rows",
        "No two rows of a list have the same key",
        ("unique", "repeated"),
        (
            "docs/freshbooks-api/accounting.md §1",
            "docs/freshbooks-api/README.md",
        ),
        of_each_stream=True,
    ),
    Question(
        "unknown_fields",
        "Rows have no field that is not declared",
        DOCUMENTED,
        (
            "docs/freshbooks-api/accounting.md §10",
            "docs/freshbooks-api/README.md",
        ),
        of_each_stream=True,
    ),
    Question(
        "other_kinds",
        "Values are of the declared kinds",
        ("documented", "other"),
        (
            "docs/freshbooks-api/accounting.md §6",
            "docs/freshbooks-api/README.md",
        ),
        of_each_stream=True,
    ),
    Question(
        "unknown_words",
        "Fields whose words are known hold no others",
        DOCUMENTED,
        ("docs/freshbooks-api/README.md", "docs/freshbooks-api/accounting.md §5"),
        of_each_stream=True,
    ),
    Question(
        "page_cap",
        "A list gives 100 rows at once, whatever is asked for",
        ("100", "none"),
        ("docs/freshbooks-api/accounting.md §3", "docs/freshbooks-api/projects-and-time.md §2"),
    ),
    Question(
        "per_page_echo",
        "Where more than the cap is asked for, per_page says how many rows there can be",
        ("effective", "asked"),
        ("docs/freshbooks-api/accounting.md §3",),
    ),
    Question(
        "small_pages",
        "A list gives as many rows as are asked for, up to the cap",
        HONOURED,
        ("docs/freshbooks-api/accounting.md §3",),
        of_each_stream=True,
    ),
    Question(
        "includes_ignored",
        "Each include adds its field to the rows",
        HONOURED,
        ("docs/freshbooks-api/accounting.md §4", "docs/freshbooks-api/accounting.md §10"),
        of_each_stream=True,
    ),
    Question(
        "updated_filter_ignored",
        "The filter by change leaves rows out: an impossible day brings none",
        HONOURED,
        (
            "docs/freshbooks-api/accounting.md §4",
            "docs/freshbooks-api/projects-and-time.md §3",
            "docs/freshbooks-api/resources/items.yaml",
        ),
        of_each_stream=True,
    ),
    Question(
        "deleted_filter_ignored",
        "search[vis_state]=1 brings deleted rows only",
        HONOURED,
        (
            "docs/freshbooks-api/accounting.md §5",
            "docs/freshbooks-api/resources/expense_categories.yaml",
            "docs/freshbooks-api/resources/bill_vendors.yaml",
        ),
        of_each_stream=True,
    ),
    Question(
        "deleted_unreadable",
        "A deleted object is still answered by its id",
        ("readable", "gone"),
        ("docs/freshbooks-api/accounting.md §5", "docs/freshbooks-api/resources/projects.yaml"),
        of_each_stream=True,
    ),
)
"""What each list says of itself."""

PARAMETERS = (
    Question(
        "default_per_page",
        "Without per_page a page has 15 rows in accounting, 30 at projects",
        ("documented", "other"),
        ("docs/freshbooks-api/accounting.md §3", "docs/freshbooks-api/projects-and-time.md §2"),
        of_each_stream=True,
    ),
    Question(
        "team_members_per_page",
        "Without per_page a page has 5 team members",
        ("5", "30"),
        ("docs/freshbooks-api/resources/team_members.yaml",),
    ),
    Question(
        "time_entries_default",
        "Without per_page all time entries come at once",
        ("unpaged", "30"),
        ("docs/freshbooks-api/resources/time_entries.yaml",),
    ),
    Question(
        "past_the_end",
        "An answer past the last page names the page that was asked for",
        ("asked", "last"),
        ("docs/freshbooks-api/accounting.md §3",),
    ),
    Question(
        "bad_page",
        "A page that is no number is answered with a 422",
        ("422", "400", "first"),
        ("docs/freshbooks-api/accounting.md §3",),
    ),
    Question(
        "oldest_first",
        "Without sort the newest row comes first",
        ("newest", "oldest"),
        ("docs/freshbooks-api/accounting.md §3", "docs/freshbooks-api/projects-and-time.md §2"),
        of_each_stream=True,
    ),
    Question(
        "sort_ignored",
        "A documented sort key sorts",
        HONOURED,
        ("docs/freshbooks-api/accounting.md §4", "docs/freshbooks-api/projects-and-time.md §3"),
        of_each_stream=True,
    ),
    Question(
        "utc_timestamps",
        "Timestamps of accounting that name no zone are US/Eastern, where no other is known",
        ("eastern", "utc"),
        ("docs/freshbooks-api/accounting.md §7",),
        of_each_stream=True,
    ),
    Question(
        "updated_day_zone",
        "The days of search[updated_min] are those of US/Eastern",
        ("eastern", "utc"),
        ("docs/freshbooks-api/accounting.md §4", "docs/freshbooks-api/accounting.md §7"),
    ),
)
"""How lists answer to parameters, or to none."""

SERVICE = (
    Question(
        "identity_fields",
        "users/me has no field that is not declared",
        DOCUMENTED,
        ("docs/freshbooks-api/auth.md §9", "docs/freshbooks-api/resources/identity.yaml"),
    ),
    Question(
        "rate_limit_headers",
        "Each answer tells what is left of the rate limit",
        ("sent", "absent"),
        ("docs/freshbooks-api/errors-and-limits.md §2",),
    ),
    Question(
        "rate_limit_windows",
        "All requests count in one window of the rate limit",
        ("one", "several"),
        ("docs/freshbooks-api/errors-and-limits.md §2",),
    ),
    Question(
        "scopes",
        "The declared scopes are those that are demanded",
        ("declared", "others"),
        ("docs/freshbooks-api/auth.md §8",),
        of_each_stream=True,
    ),
    Question(
        "ledger_scopes",
        "The ledger demands user:account:read",
        ("account", "journal_entries"),
        ("docs/freshbooks-api/auth.md §8", "docs/freshbooks-api/accounting.md §13"),
    ),
    Question(
        "missing_scope",
        "A 403 for a missing scope has the captured text, at projects, time and comments",
        ("captured", "short"),
        ("docs/freshbooks-api/errors-and-limits.md §1",),
    ),
    Question(
        "accounting_missing_scope",
        "A 403 for a missing scope has its text in a flat message, in accounting, too",
        ("message", "error", "errors"),
        ("docs/freshbooks-api/accounting.md §8",),
    ),
    Question(
        "accounting_errors",
        "Errors of accounting have the old shape",
        ("old", "new"),
        ("docs/freshbooks-api/accounting.md §8",),
    ),
    Question(
        "feature_flags",
        "Flags of users/me deny what is refused, and nothing else",
        ("gate", "unrelated"),
        ("docs/freshbooks-api/auth.md §9",),
    ),
    Question(
        "side_unauthenticated",
        "Events and payments refuse a dead token in the words of all others",
        ("common", "own"),
        ("docs/freshbooks-api/errors-and-limits.md §1",),
    ),
    Question(
        "total",
        "A total counts rows that the token may not read, too",
        ("all", "visible"),
        ("docs/freshbooks-api/accounting.md §3",),
    ),
    Question(
        "old_access_token",
        "The old access token outlives a refresh",
        ("lives", "dies"),
        ("docs/freshbooks-api/auth.md §5",),
    ),
    Question(
        "refresh_created_at",
        "A refresh counts the lifetime of the new token from now",
        ("now", "original"),
        ("docs/freshbooks-api/auth.md §4",),
    ),
    Question(
        "too_many_requests",
        "The body of a 429 is not looked at",
        ("unknown",),
        ("docs/freshbooks-api/errors-and-limits.md §2",),
        untestable="it takes more requests than FreshBooks allows",
    ),
    Question(
        "default_scopes",
        "A consent that names no scope grants those of the application",
        ("registered", "profile"),
        ("docs/freshbooks-api/auth.md §3",),
        untestable=NEEDS_A_CONSENT,
    ),
    Question(
        "pkce",
        "A code is exchanged only with the verifier of its challenge",
        ("checked", "ignored"),
        ("docs/freshbooks-api/auth.md §1",),
        untestable=NEEDS_A_CONSENT,
    ),
)
"""The API as a whole."""

QUESTIONS: dict[str, Question] = {
    question.name: question
    for question in (*LISTS, *PARAMETERS, *SERVICE, *BOOKS, *WORK, *REPORTS, *WEBHOOKS)
}
"""By name, in the order in which they are shown."""
