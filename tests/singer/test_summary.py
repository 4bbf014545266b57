from __future__ import annotations

import pytest

from tap_freshbooks.singer.stats import Cost, StreamStats, SyncStats
from tap_freshbooks.singer.summary import describe_stream, summarize


def stats_of(*streams: StreamStats) -> SyncStats:
    stats = SyncStats()
    for each in streams:
        kept = stats.for_stream(each.stream)
        kept.count(requests=each.requests, retries=each.retries, throttled=each.throttled)
        kept.rows, kept.ended = each.rows, 1.0
    return stats


def test_the_summary_is_sorted_by_name_has_a_total_and_leaves_zeros_out() -> None:
    stats = stats_of(
        StreamStats("taxes", rows=8, requests=2),
        StreamStats("clients", requests=4),
        StreamStats("invoices", rows=1364, requests=14),
    )
    streams = ["clients", "invoice_lines", "invoices", "taxes"]
    assert list(summarize(stats, streams, Cost(21), 2.34)) == [
        "Total: 1,372 rows, 21 requests, 2.3 s; 2 streams without new rows",
        "Rows: invoices 1,364, taxes 8",
    ]


def test_a_summary_says_what_was_sent_again_and_what_the_rate_limit_has_cost() -> None:
    stats = stats_of(
        StreamStats("taxes", rows=8, requests=3, retries=1),
        StreamStats("invoices", rows=14, requests=9, retries=2, throttled=2),
    )
    assert list(summarize(stats, ["invoices", "taxes"], Cost(13, 3, 2, 4.6), 60)) == [
        "Total: 22 rows, 13 requests, 3 retries, 2 429s, 60.0 s; 5 s of it for the rate limit",
        "Rows: invoices 14, taxes 8",
        "Requests sent again: invoices 2 (2 429s), taxes 1",
    ]


def test_a_source_that_is_read_for_others_only_is_no_stream_without_rows() -> None:
    stats = stats_of(StreamStats("invoices", requests=2), StreamStats("invoice_lines", rows=3))
    assert list(summarize(stats, ["invoice_lines"], Cost(2), 1)) == [
        "Total: 3 rows, 2 requests, 1.0 s",
        "Rows: invoice_lines 3",
    ]


def test_a_run_that_was_interrupted_names_what_is_not_finished() -> None:
    stats = stats_of(StreamStats("taxes", rows=8, requests=2))
    stats.for_stream("invoices").count(requests=1, total=1000)
    stats.for_stream("invoices").rows = 250
    stats.for_stream("clients").count(requests=1)
    streams = ["clients", "invoices", "payments", "taxes"]
    assert list(summarize(stats, streams, Cost(4), 1)) == [
        "Total: 258 rows, 4 requests, 1.0 s; 2 streams without new rows",
        "Rows: invoices 250, taxes 8",
        "Not finished: clients (no rows), invoices (250 of 1,000 rows)",
    ]


def test_a_run_in_which_nothing_is_new_has_one_line() -> None:
    assert list(summarize(stats_of(), ["clients", "taxes"], Cost(), 0.1)) == [
        "Total: no rows, no requests, 0.1 s; 2 streams without new rows"
    ]


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (
            {"rows": 1364, "pages": 14, "requests": 15, "retries": 1},
            "1,364 rows, 14 pages, 15 requests, 1 retry, no 429s, 2.3 s",
        ),
        (
            {"rows": 1, "pages": 1, "requests": 4, "retries": 3, "throttled": 1},
            "1 row, 1 page, 4 requests, 3 retries, 1 429, 2.3 s",
        ),
        ({"pages": 1, "requests": 1}, "no rows, 1 page, 1 request, no retries, no 429s, 2.3 s"),
    ],
)
def test_the_line_of_a_stream_says_what_it_cost(counts: dict[str, int], line: str) -> None:
    stats = StreamStats("invoices", **counts, began=1.0, ended=3.3)  # type: ignore[arg-type]
    assert describe_stream(stats) == f"invoices: {line}"


def test_a_stream_without_requests_of_its_own_has_only_rows() -> None:
    assert describe_stream(StreamStats("invoice_lines", rows=5456)) == "invoice_lines: 5,456 rows"
