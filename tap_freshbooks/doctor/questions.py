"""The facts and the open questions: which answers are possible, and where it is written.

The sandbox offers the same answers as behaviours; a test compares the two lists.
"""

from __future__ import annotations

from dataclasses import dataclass

NEEDS_A_WRITE = "it takes a write, and doctor only reads"
NEEDS_A_MESSAGE = "it takes a webhook message, and doctor only reads"
NEEDS_A_CONSENT = "it takes a consent in the browser"
NEEDS_TWO_APPS = "it takes two applications of one user"

HONOURED = ("honoured", "ignored")
DOCUMENTED = ("documented", "more")


@dataclass(frozen=True, slots=True)
class Question:
    """A fact that the tap goes by, and what could be so instead.

    Attributes:
        name: Of the question, and of the sandbox's behaviour.
        text: The fact, as the tap goes by it.
        values: The possible answers; the first is the fact.
        places: Where it is written.
        of_each_stream: Whether each list has an answer of its own; the sandbox's behaviour then
            names the streams that answer otherwise.
        untestable: Why reading cannot tell; empty if it can.
    """

    name: str
    text: str
    values: tuple[str, ...]
    places: tuple[str, ...]
    of_each_stream: bool = False
    untestable: str = ""


LISTS = (
    Question(
        "envelope",
        "The rows are where the tap reads them",
        ("known", "elsewhere"),
        ("docs/freshbooks-api/accounting.md §2", "docs/freshbooks-api/projects-and-time.md §1"),
        of_each_stream=True,
    ),
    Question(
        "page_metadata",
        "Page, pages and total stand beside a list that has pages",
        ("documented", "absent"),
        ("docs/freshbooks-api/accounting.md §3", "docs/freshbooks-api/projects-and-time.md §2"),
    ),
    Question(
        "totals",
        "A list that fits on one page has as many rows as its total says",
        ("agree", "disagree"),
        ("docs/freshbooks-api/accounting.md §3",),
        of_each_stream=True,
    ),
    Question(
        "keys",
        "No two rows of a list have the same key",
        ("unique", "repeated"),
        ("docs/freshbooks-api/accounting.md §1",),
        of_each_stream=True,
    ),
    Question(
        "row_fields",
        "Rows have no field that is not declared",
        DOCUMENTED,
        ("docs/freshbooks-api/accounting.md §10",),
        of_each_stream=True,
    ),
    Question(
        "row_kinds",
        "Values are of the declared kinds",
        ("documented", "other"),
        ("docs/freshbooks-api/accounting.md §6",),
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
        ("docs/freshbooks-api/accounting.md §4", "docs/freshbooks-api/projects-and-time.md §3"),
        of_each_stream=True,
    ),
    Question(
        "deleted_filter_ignored",
        "search[vis_state]=1 brings deleted rows only",
        HONOURED,
        ("docs/freshbooks-api/accounting.md §5",),
        of_each_stream=True,
    ),
)
"""What each list says of itself."""

SERVICE = (
    Question(
        "rate_limit_headers",
        "Each answer tells what is left of the rate limit",
        ("sent", "absent"),
        ("docs/freshbooks-api/errors-and-limits.md §2",),
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

QUESTIONS: dict[str, Question] = {
    question.name: question for question in (*LISTS, *SERVICE, *WEBHOOKS)
}
"""By name, in the order in which they are shown."""
