"""A stream is in the facts and in the sandbox as well; whoever adds one hears what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from freshbooks_sandbox import reports, resources
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.list_stream import ListStream
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS

FACTS = Path(__file__).parents[2] / "docs" / "freshbooks-api" / "resources"

READ = [stream for stream in STREAMS if not issubclass(stream, DerivedStream)]
"""Streams that are requested, and not made of the records of others."""

SERVED = {
    *(resource.name for resource in resources.RESOURCES),
    *(report.name for report in reports.REPORTS),
}


@pytest.mark.parametrize("name", [stream.name for stream in READ])
def test_a_stream_has_a_file_of_facts(name: str) -> None:
    assert (FACTS / f"{name}.yaml").exists(), (
        f"write what is known about {name} into docs/freshbooks-api/resources/{name}.yaml"
    )


@pytest.mark.parametrize("name", [each.name for each in READ if issubclass(each, ListStream)])
def test_a_stream_is_served_by_the_sandbox(name: str) -> None:
    assert name in SERVED, (
        f"the sandbox does not serve {name}: declare it below freshbooks_sandbox/resources/, or a "
        "report below freshbooks_sandbox/reports/ (CONTRIBUTING.md)"
    )


def test_lists_and_reports_are_both_asked_about() -> None:
    assert sum(issubclass(stream, Report) for stream in READ) > 10
    assert sum(issubclass(stream, ListStream) for stream in READ) > 50
