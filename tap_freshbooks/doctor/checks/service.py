"""The API as a whole: what every answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck

if TYPE_CHECKING:
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
