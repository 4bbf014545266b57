"""Hostile answers to what webhooks ask: callbacks and verifiers stay as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.transport import outage
from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
from tap_freshbooks.webhooks.callbacks.store import CallbackStore
from tap_freshbooks.webhooks.inbox import Inbox
from tap_freshbooks.webhooks.tables import CALLBACKS
from tests.hostile.answers import KINDS, NO_LIST
from tests.hostile.harness import Book, Run, bare_logging, check_texts
from tests.webhooks.receivers import ReceiverThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

ALL = "*/{account_id}/events/callbacks"
ONE = "*/{account_id}/events/callbacks/*"
STREAMS = ("items", "taxes")
NOUNS = ["item", "tax"]
SETTINGS = {"max_attempts": 2, "request_timeout": 5, "max_response_size": 1}

CONFIRMING = {"empty", "204", "blanks", "206, half of it", "half of it", "two answers"}
"""Kinds that a deletion may be answered with, or that are parts of its true, empty answer.

See `docs/freshbooks-api/webhooks.md §2`.
"""


def is_odd(kind: str) -> bool:
    """Whether a kind is no answer to a deletion. Of JSON any is, as long as it is no error."""
    return kind not in CONFIRMING and KINDS[kind].says != NO_LIST


class Hooks:
    """Callbacks of one business, and a receiver that stores their verifiers.

    Attributes:
        book: The sandbox.
        config: Of the connection.
        store: The callbacks in the inbox.
        manager: Registers them.
        url: Of the receiver.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        location = str(book.folder / "inbox.db")
        self.config = book.config(business_ids=[book.business["id"]], webhook_inbox=location)
        self.store = CallbackStore(Inbox(location))
        tap = TapFreshBooks(config=self.config, setup_mapper=False)
        self.manager = CallbackManager(tap.connection, self.store)
        self.url = ""

    @property
    def there(self) -> dict[int, dict[str, Any]]:
        """Ours at FreshBooks."""
        rows = self.book.sandbox.truth("callbacks")
        return {row["callbackid"]: row for row in rows if row["uri"].startswith(self.url)}

    @property
    def kept(self) -> list[Any]:
        """What the inbox has of callbacks, verifiers and events."""
        callbacks = [replace(each, checked_at=None, asked_at=None) for each in self.store.all()]
        return [*callbacks, [self.store.verifiers(each.path) for each in callbacks]]

    def heal(self) -> None:
        """Register once more, undisturbed: each callback is there once, and verified."""
        self.book.sandbox.faults_clear()
        assert self.manager.register(self.url, NOUNS) == []
        with self.store.inbox.writing() as connection:
            connection.execute(CALLBACKS.update().values(asked_at=1.0))
        self.manager.check()
        self.book.sandbox.webhooks.settle()
        assert self.manager.wait(5, pause=lambda _: None) == []
        assert sorted(row["event"] for row in self.there.values()) == NOUNS
        assert all(row["verified"] for row in self.there.values())
        assert {each.callbackid for each in self.store.all()} == self.there.keys()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        sandbox.webhooks.settings(scale=0.01)
        hooks = Hooks(Book(sandbox, tmp_path_factory.mktemp("book"), STREAMS, SETTINGS))
        with ReceiverThread(hooks.store.inbox) as receiver:
            hooks.url = receiver.url
            hooks.heal()
            yield hooks


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing between tries."""
    monkeypatch.setattr(outage, "LONGEST_WAIT", 0)


@pytest.fixture
def hooks(running: Hooks) -> Iterator[Hooks]:
    yield running
    running.book.sandbox.faults_clear()


def run(hooks: Hooks, command: Command, kind: str, path: str, method: str, *arguments: str) -> Run:
    """A command, with a kind of answer to what it asks."""
    config = {**hooks.config, **KINDS[kind].settings}
    file = hooks.book.folder / "config.json"
    file.write_text(json.dumps(config))
    with hooks.book.fault(path, method=method, **KINDS[kind].fault), bare_logging():
        run = Run(*command("webhooks", *arguments, "--config", str(file)))
    check_texts(run, config)
    check_texts(Run(run.status, "", run.output), config)
    for callback in hooks.store.all():
        assert callback.path not in run.output + run.errors
        for each in hooks.store.verifiers(callback.path):
            assert each.verifier not in run.output + run.errors
    return run


@pytest.mark.parametrize("subcommand", ["list", "register", "verify", "delete"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_callbacks_that_makes_no_sense_changes_nothing(
    hooks: Hooks, command: Command, kind: str, subcommand: str
) -> None:
    kept, there = hooks.kept, hooks.there
    options = {
        "register": ("--url", hooks.url, "--catalog", str(hooks.book.catalog), "--wait", "0"),
        "verify": ("--wait", "0"),
    }
    done = run(hooks, command, kind, ALL, "GET", subcommand, *options.get(subcommand, ()))
    assert done.status == 1
    assert KINDS[kind].says in done.errors
    assert (hooks.kept, hooks.there) == (kept, there)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if is_odd(kind)])
def test_callbacks_are_forgotten_only_where_freshbooks_has_deleted_them(
    hooks: Hooks, command: Command, kind: str
) -> None:
    kept = hooks.kept
    done = run(hooks, command, kind, ONE, "DELETE", "delete")
    assert done.status == 1
    assert KINDS[kind].says in done.errors
    assert hooks.kept == kept


@pytest.mark.parametrize("kind", KINDS)
def test_a_sync_goes_on_without_the_check_of_its_callbacks(
    hooks: Hooks, command: Command, kind: str
) -> None:
    with hooks.store.inbox.writing() as connection:
        connection.execute(CALLBACKS.update().values(checked_at=1.0))
    kept, there = hooks.kept, hooks.there
    with hooks.book.fault(ALL, **KINDS[kind].fault):
        done = hooks.book.sync(command, {**hooks.config, **KINDS[kind].settings})
    assert done.status == 0
    assert KINDS[kind].says in done.errors
    for stream in STREAMS:
        assert len(done.records[stream]) == len(hooks.book.sandbox.truth(stream)), stream
    assert (hooks.kept, hooks.there) == (kept, there)
