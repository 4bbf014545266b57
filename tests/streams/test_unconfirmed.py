"""Streams whose answers nobody has seen are those that the facts mark, and say so themselves."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tap_freshbooks.errors import StreamsFailedError
from tap_freshbooks.streams.derived import DerivedStream
from tap_freshbooks.streams.families import ProjectStream
from tap_freshbooks.streams.line_items import LineItems
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.streams.resources.report_sales import RevenueByClientRows
from tap_freshbooks.tap import TapFreshBooks
from tests.facts import FACTS, FILES, fields_of, read
from tests.support import QUICK, Messages, catalog_of
from tools import docs_streams

if TYPE_CHECKING:
    from freshbooks_sandbox import Sandbox
    from tap_freshbooks.streams.base import RecordStream

WHOLE = {
    *("list exists", "list_exists", "response envelope", "shape"),
    *("all", "fields", "all fields"),
}
"""The keys of `confidence` that speak of the answer or of its rows as a whole."""

LIST_FIELDS = {RevenueByClientRows.name: "clients"} | {
    stream.name: stream.list_field for stream in STREAMS if issubclass(stream, LineItems)
}
"""The field with the rows of a derived stream, where they are one list of its source."""

UNCONFIRMED = [stream for stream in STREAMS if stream.unconfirmed]


def is_low(confidence: object) -> bool:
    return re.match(r"(very )?low\b|none\b", str(confidence)) is not None


def doubted_files() -> set[str]:
    return {
        file.stem
        for file in FILES
        if any(
            is_low(value) for key, value in read(file.stem)["confidence"].items() if key in WHOLE
        )
    }


def is_doubted(stream: type[RecordStream]) -> bool:
    """Whether the facts doubt the answers that a stream lives on."""
    if not issubclass(stream, DerivedStream):
        return stream.name in doubted_files()
    part = fields_of(read(stream.source.name)).get(LIST_FIELDS.get(stream.name, ""), {})
    return is_doubted(stream.source) or is_low(part.get("confidence"))


def test_the_streams_that_the_facts_doubt_are_unconfirmed_and_no_others() -> None:
    assert {stream.name for stream in UNCONFIRMED} == {
        stream.name for stream in STREAMS if is_doubted(stream)
    }


def test_the_index_of_the_facts_marks_the_files_that_are_doubted() -> None:
    index = (FACTS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(resources/(\w+)\.yaml\) \?", index)) == doubted_files()


def test_a_status_of_an_endpoint_that_was_never_seen_is_a_doubt() -> None:
    unseen = {
        file.stem
        for file in FILES
        if re.search(r"presumed|never captured|unknown", str(read(file.stem).get("status")))
    }
    assert unseen
    assert unseen <= doubted_files()


def test_none_is_selected_by_default_and_each_says_why_in_the_catalog() -> None:
    tap = TapFreshBooks(config={}, validate_config=False)
    entries = {entry["stream"]: entry for entry in tap.catalog_dict["streams"]}
    for stream in STREAMS:
        entry = entries[stream.name]
        [whole] = [each for each in entry["metadata"] if not each["breadcrumb"]]
        description = entry["schema"]["description"]
        if stream.unconfirmed:
            assert whole["metadata"]["selected-by-default"] is False, stream.name
            assert f" Unconfirmed: {stream.unconfirmed} Please tell us" in description
            assert "doctor --report" in description
        else:
            assert "nconfirmed" not in description, stream.name


@pytest.mark.parametrize("stream", UNCONFIRMED)
def test_the_page_of_streams_says_what_is_unsure(stream: type[RecordStream]) -> None:
    [row] = re.findall(rf"^\| \*`{stream.name}`\* .*$", docs_streams.page(), re.MULTILINE)
    assert f"**Unconfirmed**: {stream.unconfirmed} |" in row
    assert re.fullmatch(r"[a-z].*\.", stream.unconfirmed), "a sentence that follows a colon"


@pytest.mark.parametrize(
    "answer",
    [
        {"content": '{"other_key": [{"id": 1}], "more": [1]}'},
        {"status": 404, "content": '{"message": "The requested URL was not found."}'},
        {"status": 405, "content": '{"message": "The method is not allowed."}'},
    ],
)
def test_where_the_guess_is_wrong_the_log_says_that_it_is_one_and_the_others_are_read(
    own_sandbox: Sandbox,
    own_config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any],
) -> None:
    own_sandbox.faults("answer", path="*/checkout-links", **answer)
    messages = Messages()
    config = {**QUICK, **own_config}
    catalog = catalog_of("checkout_links", "taxes")
    with suppress(StreamsFailedError):
        TapFreshBooks(config=config, catalog=catalog, message_writer=messages).sync()
    assert set(messages.records) == {"taxes"}
    [line] = [line for line in caplog.messages if "Please tell us" in line]
    assert line.startswith("checkout_links could not be read. Unconfirmed: no answer was ever")


def test_a_stream_made_of_an_unconfirmed_one_is_so_too() -> None:
    class Guessed(ProjectStream):
        service = "comments"
        list_key = "guesses"
        oauth_scope = "user:guesses:read"
        unconfirmed = "it is a guess."

    class MadeOfIt(DerivedStream):
        source: ClassVar[Any] = Guessed

    class WithItsOwnDoubt(DerivedStream):
        source: ClassVar[Any] = Guessed
        unconfirmed = "so is this."

    assert MadeOfIt.unconfirmed == "it is a guess."
    assert WithItsOwnDoubt.unconfirmed == "so is this."
    assert not MadeOfIt.selected_by_default
    assert ProjectStream.selected_by_default
