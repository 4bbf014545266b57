"""The API as a whole: what every answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.doctor.findings import NotTestedError
from tap_freshbooks.transport.rate_window import ROUNDING, rate_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.doctor.evidence import Evidence
    from tap_freshbooks.doctor.findings import Verdict
    from tap_freshbooks.doctor.subjects import Subject

RATE_LIMIT = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


class RateLimitHeaders(StreamCheck):
    """Whether answers tell what is left of the rate limit."""

    name = "rate_limit_headers"
    of_the_api = True

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        headers = subject.listing(evidence).answer.headers
        if all(headers.get(name) is not None for name in RATE_LIMIT):
            return self.found("sent")
        return self.found("absent", f"seen on {subject.name}")


class RateLimitWindows(StreamCheck):
    """Whether users/me counts in the same window of the rate limit as lists do."""

    name = "rate_limit_windows"
    of_the_api = True
    identity = Ask.of(IDENTITY_PATH)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (self.identity,)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        here = rate_headers(subject.listing(evidence).answer.headers)
        there = rate_headers(evidence.answer(self.identity).headers)
        if here is None or there is None:
            raise NotTestedError("answers do not tell what is left of the rate limit")
        if here.limit != there.limit:
            return self.found("several", f"users/me: {there.limit}, {subject.name}: {here.limit}")
        if abs(here.reset - there.reset) <= ROUNDING:
            return self.found("one")
        if max(here.date, there.date) >= min(here.reset, there.reset):
            raise NotTestedError("a window ended in between")
        return self.found("several", f"windows of users/me and {subject.name} overlap")
