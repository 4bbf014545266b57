"""What the tests of reports share: the streams, and a sandbox that answers what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_freshbooks.streams.report_rows import ReportRows
from tap_freshbooks.streams.report_stream import Report
from tap_freshbooks.streams.resources import STREAMS
from tests.support import Messages, sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox import Sandbox

REPORTS = {
    stream.name.removeprefix("report_"): stream for stream in STREAMS if issubclass(stream, Report)
}
ROWS = {
    stream.source.name.removeprefix("report_"): stream
    for stream in STREAMS
    if issubclass(stream, ReportRows)
}


def serve(books: Sandbox, answers: Mapping[str, Any], **envelope: Any) -> None:
    """Let the sandbox answer each of these reports with what is given here."""
    for name, answer in answers.items():
        key = REPORTS[name].list_key.partition("|")[0]
        body = envelope or {"response": {"result": {key: answer}}}
        books.faults("answer", path=f"*/account/*/{REPORTS[name].report}", content=json.dumps(body))


def read(settings: dict[str, Any], *names: str) -> Messages:
    """Both tables of each of these reports."""
    streams = [each.name for name in names for each in (REPORTS[name], ROWS.get(name)) if each]
    return sync(settings, *streams)
