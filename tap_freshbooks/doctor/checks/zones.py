"""In which zone timestamps are, and days are compared (`docs/freshbooks-api/accounting.md §7`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import StreamCheck
from tap_freshbooks.doctor.checks.filters import changed_never
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.schema.fields import EasternTime
from tap_freshbooks.streams.replication import Replication
from tap_freshbooks.timestamps import eastern_to_utc, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_freshbooks.doctor.evidence import Ask, Evidence
    from tap_freshbooks.doctor.subjects import Subject

FRESH = timedelta(minutes=15)
"""A change that seems to be this young is one: else nothing was changed for hours before it."""

CLOCKS = timedelta(minutes=5)
"""How far a row may be ahead of the server's clock."""

ONE_DAY = timedelta(days=1)


def _naive_changes(subject: Subject, evidence: Evidence) -> Iterator[datetime]:
    """When rows of the first page changed, where the text names no zone."""
    for row in subject.listing(evidence).rows:
        moment = _naive(row.get(subject.stream.timestamp_field or ""))
        if moment is not None:
            yield moment


def _naive(value: Any) -> datetime | None:
    if not isinstance(value, str) or "T" in value:  # which means UTC
        return None
    try:
        moment = parse_time(value)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is None else None


def _is_eastern(subject: Subject) -> bool:
    name = subject.stream.timestamp_field
    return name is not None and isinstance(subject.stream.fields.fields.get(name), EasternTime)


class UtcTimestamps(StreamCheck):
    """Whether timestamps that are said to be Eastern are: read so, none lies in the future."""

    name = "utc_timestamps"

    @override
    def applies(self, subject: Subject) -> bool:
        return subject.is_list and _is_eastern(subject)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        newest = max(_naive_changes(subject, evidence), default=None)
        now = subject.listing(evidence).answer.date
        if newest is None or now is None:
            raise NotTestedError("no row has a timestamp without a zone")
        age = now - eastern_to_utc(newest).replace(tzinfo=UTC)
        if age < -CLOCKS:
            return self.found("utc", "read as Eastern, a row changed in the future")
        if age > FRESH:
            raise NotTestedError("no row of the first page changed in the last quarter of an hour")
        return self.found("eastern")


class UpdatedDayZone(StreamCheck):
    """In which zone `search[updated_min]` compares days."""

    name = "updated_day_zone"
    of_the_api = True
    follow_ups = 1

    @override
    def applies(self, subject: Subject) -> bool:
        is_filtered = subject.stream.replication is Replication.SERVER_FILTER
        return subject.is_list and is_filtered and subject.is_accounting and _is_eastern(subject)

    @override
    def asks(self, subject: Subject) -> Iterable[Ask]:
        return (changed_never(subject),)

    @override
    def judge(self, subject: Subject, evidence: Evidence) -> Verdict:
        if subject.listing(evidence, changed_never(subject)).rows:
            raise NotTestedError("the filter by change is ignored")
        # Late in the evening of New York it is the next day in UTC.
        late = [
            moment
            for moment in _naive_changes(subject, evidence)
            if eastern_to_utc(moment).date() > moment.date()
        ]
        if not late:
            raise NotTestedError("no row of the first page changed late in an Eastern evening")
        evening = max(late)
        day = evening.date() + ONE_DAY
        query = {"search[updated_min]": day, "search[updated_max]": day + ONE_DAY}
        listing = subject.listing(evidence, subject.page(query))
        if listing.metadata.pages > 1:
            raise NotTestedError("too many rows changed on that day")
        name = subject.stream.timestamp_field or ""
        is_there = any(_naive(row.get(name)) == evening for row in listing.rows)
        return self.found("utc" if is_there else "eastern")
