"""The report that a user can send us: how FreshBooks answered, and nothing of the customer.

It has names of fields, kinds, whether null or absent, forms and lengths in classes, words of our
own lists, counts in classes. It has no value, id, name, amount or text of an answer, and no date
but the month in which it was made.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_freshbooks.doctor.checks.refusals import KNOWN_SCOPES, SCOPE, lacks_scope, texts
from tap_freshbooks.doctor.checks.samples import samples_of
from tap_freshbooks.doctor.findings import NotTestedError
from tap_freshbooks.doctor.structure import size_class
from tap_freshbooks.transport.response_errors import read_error_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_freshbooks.doctor.evidence import Answer, Ask, Evidence
    from tap_freshbooks.doctor.findings import Finding
    from tap_freshbooks.doctor.subjects import Subject

CONTENT = (
    "names of fields, kinds of values, forms and lengths in classes, known words, counts in "
    "classes, statuses, and what doctor found; no value, id, name, amount or text of the account"
)
HEADERS = (
    *("Date", "Content-Type", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    *("Retry-After", "x-api-version", "X-Version", "ETag"),
)
API_VERSIONS = frozenset({"2019-07-10", "2023-02-20", "2023-09-25"})
CONTENT_TYPES = frozenset({"application/json", "application/vnd.api+json", "text/html"})
ERROR_KEYS = frozenset(
    {
        *("response", "errors", "error", "error_description", "error_type", "errno"),
        *("message", "code", "details", "status", "field", "value", "object"),
    }
)
"""Keys of known errors (`docs/freshbooks-api/errors-and-limits.md §1`)."""

WORDS = frozenset(
    {
        *("unauthenticated", "insufficient_scope", "invalid_token", "unauthorized", "forbidden"),
        *("not_found", "validation", "invalid_resource", "access_denied"),
    }
)
ERRNOS = frozenset(
    {404, 409, 422, 500, 2001, 7005, 8016, 8034, 12001, 16003, *range(1001, 1041), 1042}
    | set(range(1100, 1109))
)
"""Known errnos (`docs/freshbooks-api/accounting.md §8`)."""

BESIDE = frozenset({"page", "pages", "per_page", "total", "sort", "page_number", "page_size"})
PLAIN_PARAMETER = re.compile(r"[a-z_]+(\[[a-z_0-9]*\])*")


def report_of(
    findings: Sequence[Finding], subjects: Sequence[Subject], evidence: Evidence, version: str
) -> dict[str, Any]:
    """The report.

    Args:
        findings: What was found.
        subjects: The streams that were examined.
        evidence: The answers.
        version: Of the tap.
    """
    return {
        "about": f"What `tap-freshbooks doctor` saw: {CONTENT}.",
        "tap": version,
        "month": f"{datetime.now(UTC):%Y-%m}",
        "findings": [finding.to_dict(is_private=False) for finding in findings],
        "streams": [_stream(subject, evidence) for subject in subjects],
    }


def _stream(subject: Subject, evidence: Evidence) -> dict[str, Any]:
    """What was asked for one stream in one business, and how it was answered."""
    asked = [(ask, answer) for ask, answer in evidence.answers() if subject.owns(ask)]
    found: dict[str, Any] = {
        "stream": subject.name,
        "business": subject.number,
        "answers": [_answer(ask, answer) for ask, answer in asked],
    }
    if subject.is_list:
        found["beside"] = _beside(subject, evidence)
    try:
        samples = samples_of(subject, evidence)
    except NotTestedError as reason:
        return {**found, "rows": str(reason)}
    shape, *table = [sample.shape().to_dict(len(sample.rows)) for sample in samples]
    found |= {"rows": size_class(len(samples[-1].rows)), "shape": shape}
    return {**found, "table": table[0]} if table else found


def _beside(subject: Subject, evidence: Evidence) -> list[str]:
    try:
        return sorted(BESIDE & subject.listing(evidence).beside.keys())
    except NotTestedError:
        return []


def _answer(ask: Ask, answer: Answer) -> dict[str, Any]:
    """An answer without its rows."""
    found = {
        "parameters": sorted({name for name, _ in ask.query if PLAIN_PARAMETER.fullmatch(name)}),
        "status": answer.status,
        "headers": _headers(answer),
    }
    return found if answer.error is None else {**found, "error": _error(answer)}


def _headers(answer: Answer) -> dict[str, Any]:
    """Which of the known headers were sent, with their values where we know these."""
    headers = answer.headers
    kind = str(headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    version = headers.get("x-api-version")
    return {
        "sent": [name for name in HEADERS if name in headers],
        "content_type": kind if kind in CONTENT_TYPES else "another",
        "api_version": version if version in API_VERSIONS else "another" if version else None,
    }


def _error(answer: Answer) -> dict[str, Any]:
    """The shape of an error, with those of its words and numbers that we know."""
    body = answer.body
    problem = read_error_body(body)
    said = " ".join(texts(body)).lower()
    scopes: Iterable[str] = SCOPE.findall(said) if lacks_scope(answer) else ()
    return {
        "is_json": body is not None,
        "keys": sorted(ERROR_KEYS & body.keys()) if isinstance(body, dict) else [],
        "errno": problem.errno if problem and problem.errno in ERRNOS else None,
        "words": sorted(word for word in WORDS if word in said),
        "scopes": sorted(KNOWN_SCOPES.intersection(scopes)),
    }
