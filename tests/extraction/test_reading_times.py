"""When a stream is due: by its interval, partition by partition; the tests set the clock."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_freshbooks.extraction.intervals import LONGEST, Intervals
from tap_freshbooks.extraction.reading_times import ReadingTimes

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
A, B = {"account_id": "A"}, {"account_id": "B"}


@dataclass
class FakeStream:
    """A stream of two businesses, and one that lives on it."""

    name: str = "taxes"
    pace: str = ""
    webhook_noun: str | None = None
    is_sent_whole: bool = False
    partitions: list[dict[str, Any]] | None = field(default_factory=lambda: [A, B])
    states: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def fixed_pace(self) -> str:
        return self.pace

    def consumer_states(self, partition: Any) -> list[dict[str, Any]]:
        return self.states.setdefault(str(partition), [{}])


def times(setting: Any = 1, *, at: datetime = NOW, **settings: Any) -> ReadingTimes:
    return ReadingTimes({"full_table_interval": setting, "poll_interval": 1, **settings}, at)


def read(stream: FakeStream, *partitions: Any, at: datetime, **settings: Any) -> FakeStream:
    for partition in partitions:
        times(at=at, **settings).note_reading(stream, partition)
    return stream


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "passed", "is_due"),
    [
        (1, 56 * MINUTE, False),
        (1, 57 * MINUTE, True),  # 5 % too early
        (1, HOUR, True),
        (24, 24 * HOUR - 6 * MINUTE, False),
        (24, 24 * HOUR - 5 * MINUTE, True),  # 5 minutes at most
        (0.25, 14 * MINUTE, False),
        (0.25, 14.3 * MINUTE, True),
        (0, timedelta(), True),
        (1e8, 10_000 * HOUR, False),
        (1, -59 * MINUTE, False),
        (1, -61 * MINUTE, True),  # a moment that lies in the future is not believed
        (1, -10_000_000 * HOUR, True),
    ],
)
def test_a_stream_is_due_when_its_interval_is_over(
    hours: float, passed: timedelta, *, is_due: bool
) -> None:
    stream = read(FakeStream(), A, B, at=NOW - passed)
    assert times(hours).due(stream) == ([A, B] if is_due else [])


def test_a_schedule_of_each_hour_leaves_out_no_run_although_its_runs_begin_unevenly() -> None:
    stream = FakeStream(partitions=None)
    for hour, late in enumerate((8, 2, 61, 0, 119, 3)):
        began = NOW + timedelta(hours=hour, seconds=late)
        assert times(at=began).due(stream) == [None]
        read(stream, None, at=began)


@pytest.mark.parametrize("mark", [None, "", "yesterday", 5, [], {}, "2026-02-03T10:00:00+99:00"])
def test_what_is_no_moment_is_not_believed(mark: Any) -> None:
    stream = read(FakeStream(), A, B, at=NOW)
    stream.consumer_states(A)[0]["polled_at"] = mark
    assert times().due(stream) == [A]


def test_each_business_has_its_own_time() -> None:
    stream = read(FakeStream(), A, at=NOW - HOUR)
    read(stream, B, at=NOW - 10 * MINUTE)
    assert times().due(stream) == [A]
    assert times(3).due(stream) == []
    stream.partitions = [A, B, {"account_id": "new"}]
    assert times(3).due(stream) == [{"account_id": "new"}]


def test_of_a_table_that_is_sent_whole_all_businesses_are_due_or_none() -> None:
    stream = read(FakeStream(is_sent_whole=True), A, B, at=NOW - MINUTE)
    assert times().due(stream) == []
    del stream.consumer_states(B)[0]["polled_at"]
    assert times().due(stream) == [A, B]


def test_a_stream_that_is_selected_anew_is_due_with_what_it_lives_on() -> None:
    stream = read(FakeStream(), A, B, at=NOW - MINUTE)
    stream.consumer_states(A).append({})
    assert times().due(stream) == [A]


@pytest.mark.parametrize("is_sent_whole", [True, False])
def test_what_was_refused_is_asked_for_again_and_nothing_else(*, is_sent_whole: bool) -> None:
    stream = read(FakeStream(is_sent_whole=is_sent_whole), A, at=NOW - MINUTE)
    times(at=NOW - MINUTE).note_refusal(stream, B)
    assert times().due(stream) == [B]
    with_webhooks: dict[str, Any] = {"webhook_inbox": "inbox.db", "poll_interval": 2}
    assert times(24, **with_webhooks).due(stream) == []
    later = times(24, at=NOW + 2 * HOUR, **with_webhooks)
    assert later.due(stream) == [B]
    later.note_reading(stream, B)
    assert times(24, at=NOW + 3 * HOUR).due(stream) == []


@pytest.mark.parametrize(
    ("pace", "poll", "whole", "hours"),
    [
        ("", None, 0, 0),
        ("", None, 24, 24),
        ("", 1, 0, 1),
        ("", 1, 24, 24),
        ("", 24, 1, 24),
        ("incremental", 1, 24, 1),
        ("incremental", None, 24, 0),
    ],
)
def test_of_both_intervals_the_longer_one_counts(
    pace: str, poll: float | None, whole: float, hours: float
) -> None:
    webhooks: dict[str, Any] = {"webhook_inbox": "inbox.db", "poll_interval": poll} if poll else {}
    assert times(whole, **webhooks).interval(FakeStream(pace=pace)) == timedelta(hours=hours)


def test_where_no_interval_counts_the_state_gets_no_moment() -> None:
    stream = read(FakeStream(pace="incremental"), A, B, at=NOW)
    times().note_refusal(stream, A)
    times().forget(stream, A)
    assert times().due(stream) == [A, B]
    assert stream.states == {}  # not even that there are partitions


def test_what_is_not_due_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    some = times({"taxes": 24, "items": 2})
    for name, since in (("taxes", HOUR), ("items", 15 * MINUTE), ("staffs", HOUR)):
        stream = read(FakeStream(name), A, B, at=NOW - since)
        assert some.is_waiting(stream) == (name != "staffs")
    some.tell()
    assert caplog.messages == [
        "Not due yet: taxes, items; the next is items at 2026-02-03T11:45:00Z"
    ]


def test_nothing_is_told_where_all_is_due(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    some = times()
    assert not some.is_waiting(FakeStream())
    some.tell()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("taxes", 1),
        ("journal_entries", 6),
        ("journal_entry_details", 2),
        ("journal_entry_accounts", 3),
        ("staffs", 24),
        ("xa", 5),
        ("xb", 9),
    ],
)
def test_the_pattern_that_says_most_of_a_name_counts(name: str, hours: float) -> None:
    patterns: dict[str, float] = {
        "*": 24,
        "journal_*": 6,
        "journal_entry_*": 3,
        "taxes": 1,
        "tax*s": 7,
        "*taxes*": 8,
        "journal_entry_details": 2,
        "x*": 9,
        "x[a]": 5,
    }
    for some in (patterns, dict(reversed(patterns.items()))):
        assert Intervals(some).of(FakeStream(name)) == timedelta(hours=hours)


def test_a_stream_that_no_pattern_fits_is_read_each_time() -> None:
    assert Intervals({"taxes": 24}).of(FakeStream("staffs")) == timedelta()
    assert Intervals({}).of(FakeStream("staffs")) == timedelta()
    assert Intervals(None).of(FakeStream("staffs")) == timedelta()
    assert Intervals(999_999_999).of(FakeStream("staffs")) == LONGEST


def test_patterns_without_effect_are_told(caplog: pytest.LogCaptureFixture) -> None:
    streams = [FakeStream("taxes"), FakeStream("staffs"), FakeStream("items", pace="has a filter")]
    Intervals({"taxs": 24, "zzz*": 1, "items": 2, "*": 3, "t*": 5}).tell_of_names(streams)
    assert sorted(caplog.messages) == [
        "The setting full_table_interval names items, to no effect: items has a filter",
        "The setting full_table_interval names taxs, which fits no stream (did you mean taxes?)",
        "The setting full_table_interval names zzz*, which fits no stream",
    ]
    caplog.clear()
    Intervals(24).tell_of_names(streams)
    Intervals(0).tell_of_names(streams[2:])
    assert caplog.messages == []
