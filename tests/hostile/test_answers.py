"""Hostile answers as a whole: each kind at each place (`answers.py`)."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.oauth.refresh_attempts import RefreshAttempts
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport import outage
from tests.hostile.answers import DEEP, KINDS, NO_LIST
from tests.hostile.harness import Book, Place, Run
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Command

PLACES = {
    "list of accounting": Place(
        "*/{account_id}/users/clients", "clients", ("clients", "client_contacts")
    ),
    "list of projects": Place("*/business/{id}/projects", "projects", ("projects",)),
    "list of the ledger": Place(
        "*/{business_uuid}/ledger_accounts/accounts", "ledger_accounts", ("ledger_accounts",)
    ),
    "list of webhooks": Place("*/{account_id}/events/callbacks", "callbacks", ("callbacks",)),
    "report": Place(
        "*/{account_id}/reports/accounting/profitloss_entity",
        "report_profit_loss",
        ("report_profit_loss", "report_profit_loss_rows"),
    ),
}
"""Where an answer costs one stream of one business. A run has the same kind at all of them."""

OBJECTS = ("invoices", "invoice_lines")
OBJECT = "*/{account_id}/invoices/invoices/*"
"""The object that an event names."""

BYSTANDERS = ("identity", "businesses", "items", "taxes", "services")
STREAMS = (
    *BYSTANDERS,
    *OBJECTS,
    *(stream for place in PLACES.values() for stream in place.consumers),
)
SETTINGS = {
    "max_attempts": 2,
    "request_timeout": 5,
    "max_response_size": 1,
    "start_date": "2026-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield Book(sandbox, tmp_path_factory.mktemp("book"), STREAMS, SETTINGS)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing between tries."""
    monkeypatch.setattr(outage, "LONGEST_WAIT", 0)
    monkeypatch.setattr(RefreshAttempts, "wait_after", lambda *_: 0)


@pytest.fixture(scope="module")
def kept() -> dict[str, Run]:
    """The runs of this module, each of which many tests look at."""
    return {}


@pytest.fixture
def whole(book: Book, command: Command, kept: dict[str, Run]) -> Run:
    """A run that nothing disturbs."""
    if "whole" not in kept:
        kept["whole"] = book.sync(command, book.config())
        assert kept["whole"].status == 0
        assert all(kept["whole"].records[stream] for stream in STREAMS)
    return kept["whole"]


@pytest.fixture
def disturbed(book: Book, command: Command, kept: dict[str, Run], kind: str) -> Run:
    """A run with a kind of answer at all places."""
    if kind not in kept:
        with ExitStack() as faults:
            for place in PLACES.values():
                faults.enter_context(book.fault(place.path, **KINDS[kind].fault))
            kept[kind] = book.sync(command, book.config(**KINDS[kind].settings))
    return kept[kind]


def named(book: Book) -> str:
    return f"{book.business['name']} (business {book.business['id']})"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PLACES)
def test_it_costs_the_stream_of_the_business(
    book: Book, whole: Run, disturbed: Run, kind: str, name: str
) -> None:
    place = PLACES[name]
    assert disturbed.status == 1
    start = f"{place.stream} of {named(book)}"
    [failure] = [each for each in disturbed.failures if each.startswith(start)]
    assert KINDS[kind].says in failure
    assert failure.endswith(f"The bookmark of {', '.join(place.consumers)} stays where it was")
    for stream in place.consumers:
        own = {str(book.business[key]) for key in ("id", "account_id", "business_uuid")}
        assert disturbed.rows(stream) == whole.rows(stream, without=own)
        assert f"Not read completely: {stream} of {named(book)}\n" in disturbed.errors
        marks = disturbed.bookmarks(stream)
        assert not any(has for key, has in marks.items() if key in own)


@pytest.mark.parametrize("kind", KINDS)
def test_bystanders_are_whole_and_their_states_are_written(
    whole: Run, disturbed: Run, kind: str
) -> None:
    assert kind
    for stream in (*BYSTANDERS, *OBJECTS):
        assert disturbed.rows(stream) == whole.rows(stream)
        assert disturbed.bookmarks(stream) == whole.bookmarks(stream)
    assert len(disturbed.failures) == len(PLACES)
    assert disturbed.sentence.startswith("7 streams could not be read completely: ")


class Events:
    """The state of a first run, and the inbox in which an event waits for the next."""

    def __init__(self, book: Book, state: dict[str, Any], folder: Path) -> None:
        self.receiver = FakeReceiver(book.sandbox, folder)
        self.state = folder / "state.json"
        self.state.write_text(json.dumps(state))
        for name, stream in ("invoice", "invoices"), ("item", "items"):
            row = book.sandbox.truth(stream)[0]
            self.receiver.deliver(f"{name}.update", row["id"])


@pytest.fixture
def events(
    book: Book, command: Command, kept: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Events:
    """What a run with webhooks finds, once for this module: it is not changed by a failure."""
    if "events" not in kept:
        folder = tmp_path_factory.mktemp("events")
        FakeReceiver(book.sandbox, folder)
        inbox = {"webhook_inbox": str(folder / "inbox.db")}
        first = book.sync(command, book.config(**inbox))
        kept["events"] = Events(book, first.state, folder)
    events: Events = kept["events"]
    return events


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_an_event_names_is_read_by_the_next_run(
    book: Book, events: Events, command: Command, kind: str
) -> None:
    config = book.config(webhook_inbox=events.receiver.location, **KINDS[kind].settings)
    with book.fault(OBJECT, **KINDS[kind].fault):
        run = book.sync(command, config, "--state", str(events.state))
    assert run.status == 1
    # Whose invoice it is, and so whose balance has moved, is not known either.
    assert [each.partition(" of ")[0] for each in run.failures] == ["clients", "invoices"]
    for failure in run.failures:
        assert named(book) in failure
        assert KINDS[kind].says in failure
    assert len(run.records["items"]) == 1
    assert not any(run.records[stream] for stream in OBJECTS)


def test_the_next_run_reads_again_what_an_event_named(
    book: Book, events: Events, command: Command, tmp_path: Path
) -> None:
    config = book.config(webhook_inbox=events.receiver.location)
    with book.fault(OBJECT, content="null"):
        failed = book.sync(command, config, "--state", str(events.state))
    state = tmp_path / "state.json"
    state.write_text(json.dumps(failed.state))
    run = book.sync(command, config, "--state", str(state))
    assert run.status == 0
    assert len(run.records["invoices"]) == 1
    assert not run.records["items"]


IDENTITY = "/auth/api/v1/users/me"
TOKEN = "/auth/oauth/token"


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_that_makes_no_sense_ends_the_run_with_a_sentence(
    book: Book, command: Command, kind: str
) -> None:
    with book.fault(IDENTITY, **KINDS[kind].fault):
        run = book.sync(command, book.config(**KINDS[kind].settings))
    assert run.status == 1
    assert not run.output
    says = KINDS[kind].says
    if says == NO_LIST:
        says = "the answer does not name any memberships"
    assert run.sentence.startswith("the identity of the token: ")
    assert says in run.sentence


GIVEN = [name for name, kind in KINDS.items() if {"content", "base64"} & kind.fault.keys()]
"""Kinds in whose place FreshBooks does nothing: what is a part of a true answer has spent a token.

`tests/faults/test_token_answers.py` has these, and answers without an end.
"""


@pytest.mark.parametrize("kind", [kind for kind in GIVEN if kind != "a drip"])
def test_a_token_answer_that_makes_no_sense_ends_the_run_and_costs_no_token(
    book: Book, command: Command, kind: str
) -> None:
    config = book.config()
    with book.fault(TOKEN, **KINDS[kind].fault):
        run = book.sync(command, config)
    assert run.status == 1
    assert not run.output
    says = KINDS[kind].says
    if says in {NO_LIST, DEEP}:
        says = "could not be refreshed: "
    assert says in run.sentence
    assert config["token_store"] in run.sentence or "refused the token request" in run.sentence
    connection = TapFreshBooks(config=config, setup_mapper=False).connection
    assert connection.authenticator.access_token()
    assert book.sandbox.stats(config["client_id"])["spent_refresh_tokens"] == 0
