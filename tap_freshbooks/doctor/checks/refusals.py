"""Errors: their shapes, and which scopes are demanded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.tokens import granted_scopes
from tap_freshbooks.streams.families import ProjectStream
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Answer, Evidence
    from tap_freshbooks.doctor.subjects import Subject

NO_ID = "0"
"""What stands for "none" in references (`docs/freshbooks-api/accounting.md §1`)."""

SCOPE = re.compile(r"user:[a-z_]+:(?:read|write)")
KNOWN_SCOPES = frozenset(scope for stream in STREAMS for scope in SCOPE.findall(stream.oauth_scope))
"""Those that some stream declares: no other words of an error are ever shown."""

CAPTURED = re.compile(r"insufficient_scope: .*Provided: \['.*'\]\. Required: \['.*'\]\.", re.DOTALL)
SHORT = re.compile(r"insufficient_scope: provided \[.*\], required \[.*\]", re.DOTALL)
REQUIRED = re.compile(r"required:? *\[(.*?)\]", re.IGNORECASE | re.DOTALL)
NOTHING_REFUSED = "no list was refused for want of a scope"


def texts(value: Any) -> Iterable[str]:
    """All texts of a body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def lacks_scope(answer: Answer) -> bool:
    """Whether an answer says that a scope is missing."""
    return answer.is_refused and any("insufficient_scope" in text for text in texts(answer.body))


def _demanded(answer: Answer) -> set[str]:
    """The scopes that a refusal demands."""
    lists = (match for text in texts(answer.body) for match in REQUIRED.findall(text))
    return {scope for each in lists for scope in SCOPE.findall(each)}


def _declared(subject: Subject) -> set[str]:
    """The scopes that the stream says it needs."""
    return set(SCOPE.findall(subject.stream.oauth_scope))


class MissingScope(StreamCheck):
    """The text of a 403 for a missing scope, at projects, time and comments."""

    name = "missing_scope"
    of_the_api = True
    takes_errors = True

    @override
    def applies(self, subject: Subject) -> bool:
        is_own = "service" in vars(subject.stream)
        return subject.is_list and issubclass(subject.stream, ProjectStream) and is_own

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        if not lacks_scope(answer):
            raise NotTestedError(NOTHING_REFUSED)
        message = answer.body.get("message") if isinstance(answer.body, dict) else None
        if not isinstance(message, str):
            return self.found("other", "there is no flat message")
        if CAPTURED.fullmatch(message):
            return self.found("captured")
        return self.found("short" if SHORT.fullmatch(message) else "other")


class AccountingMissingScope(StreamCheck):
    """Where a 403 for a missing scope has its text, at accounting."""

    name = "accounting_missing_scope"
    of_the_api = True
    takes_errors = True

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and subject.is_accounting

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        granted = granted_scopes(evidence.client)
        is_lacking = bool(granted) and not _declared(subject) & granted
        if not (answer.is_refused and (is_lacking or lacks_scope(answer))):
            raise NotTestedError(NOTHING_REFUSED)
        body = answer.body if isinstance(answer.body, dict) else {}
        if "response" in body or "details" in body:
            return self.found("errors")
        if isinstance(body.get("error"), dict):
            return self.found("error")
        return self.found("message" if isinstance(body.get("message"), str) else "other")


class Scopes(StreamCheck):
    """Whether the declared scopes are those that are demanded."""

    name = "scopes"
    takes_errors = True

    @override
    def applies(self, subject: Subject) -> bool:
        is_open = subject.name in LedgerScopes.streams  # a question of its own
        return subject.is_list and bool(_declared(subject)) and not is_open

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.first_page)
        declared, granted = _declared(subject), granted_scopes(evidence.client)
        if lacks_scope(answer):
            others = _demanded(answer) - declared
            if others:
                known = sorted(others & KNOWN_SCOPES)
                return self.found("others", "another scope is demanded", known)
            return self.found("declared", "the token lacks it")
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        if not granted:
            raise NotTestedError("the token names no scopes, or one for everything")
        if not declared & granted:
            return self.found("others", "it was answered without the declared scope")
        return self.found("declared")


class LedgerScopes(StreamCheck):
    """Which scope the ledger demands; seen where a token has one of the two only."""

    name = "ledger_scopes"
    streams = ("ledger_accounts",)
    takes_errors = True

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer, granted = evidence.answer(subject.first_page), granted_scopes(evidence.client)
        named = {"account": "user:account:read", "journal_entries": "user:journal_entries:read"}
        if lacks_scope(answer):
            demanded = _demanded(answer)
            found = [value for value, scope in named.items() if scope in demanded]
            return self.found(found[0] if found else "other")
        if answer.error is not None:
            raise NotTestedError(answer.problem)
        held = [value for value, scope in named.items() if scope in granted]
        if len(held) != 1:
            raise NotTestedError("the token has both scopes")
        return self.found(held[0])


class AccountingErrors(StreamCheck):
    """The shape of errors of accounting: asked for with an id that stands for none."""

    name = "accounting_errors"
    of_the_api = True

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.name in {"clients", "invoices", "expenses", "payments", "items"}

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (subject.object(NO_ID),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        answer = evidence.answer(subject.object(NO_ID))
        if answer.error is None or answer.status == 0:
            raise NotTestedError("an id that stands for none was answered with no error")
        body = answer.body
        response = body.get("response") if isinstance(body, dict) else None
        if isinstance(response, dict) and "errors" in response:
            return self.found("old")
        if isinstance(body, dict) and isinstance(body.get("details"), list):
            return self.found("new")
        return self.found("other", "neither shape is known")


class FeatureFlags(StreamCheck):
    """Whether a flag of users/me denies what is refused: seen where one denies something."""

    name = "feature_flags"
    takes_errors = True

    @override
    def applies(self, subject: Subject) -> bool:
        is_known = subject.is_list or subject.is_report
        return is_known and bool(subject.stream.plan_features)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return Ask.of(IDENTITY_PATH), _one_answer(subject)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        body = evidence.answer(Ask.of(IDENTITY_PATH)).body
        for name in ("response", "permissions", subject.business.account_id):
            body = body.get(name) if isinstance(body, dict) else None
        features = body if isinstance(body, dict) else {}
        denying = [flag for flag in subject.stream.plan_features if features.get(flag) is False]
        if not denying:
            raise NotTestedError("none of its flags denies anything")
        answer = evidence.answer(_one_answer(subject))
        if answer.error is None:
            return self.found("unrelated", "it was answered, though a flag denies it", denying)
        if not answer.is_refused or lacks_scope(answer):
            raise NotTestedError(answer.problem)
        return self.found("gate")


def _one_answer(subject: Subject) -> Ask:
    return subject.first_page if subject.is_list else subject.bare
