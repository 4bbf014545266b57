"""Hostile parts of users/me.

What names nothing usable ends the run; what names one business badly costs what needs that name;
the rest costs a field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run, check_texts
from tests.webhooks.fake_receiver import FakeReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Command

PATH = "/auth/api/v1/users/me"
MEMBERSHIPS = "response.business_memberships"
BUSINESS = f"{MEMBERSHIPS}.0.business"

NO_MEMBERSHIPS = "the identity of the token: the answer does not name any memberships"
NO_NUMBER = "the identity of the token: the answer names a business whose id is no whole number"
NO_PATH = "something that no path can hold: "


class Part(NamedTuple):
    """A part of the answer, as JSON, and what it costs.

    Attributes:
        path: Where it stands.
        json: What is put there.
        ends: What the run ends with, empty if it goes on.
        reaches: Whether any business is left to be read.
        says: What is said of the business that is not read completely, empty if it is.
        costs: Streams that fail of it.
    """

    path: str
    json: str
    ends: str = ""
    says: str = ""
    costs: tuple[str, ...] = ()
    reaches: bool = True


def no_account(json: str, found: str) -> Part:
    return Part(ACCOUNT, json, says=f"account_id {NO_PATH}{found}.", costs=OF_ACCOUNT)


def no_uuid(json: str, found: str) -> Part:
    return Part(UUID, json, says=f"business_uuid {NO_PATH}{found}.", costs=("ledger_accounts",))


def no_number(json: str) -> Part:
    return Part(f"{BUSINESS}.id", json, says=f"{NO_NUMBER} (1 of them)", costs=OF_BUSINESS)


ACCOUNT, UUID = f"{BUSINESS}.account_id", f"{BUSINESS}.business_uuid"
ODD = "a text with characters that lead elsewhere"
OF_ACCOUNT = ("taxes", "unified_company_info", "unified_tax_rates")
OF_BUSINESS = ("businesses", "taxes", "projects", "ledger_accounts", *OF_ACCOUNT[1:])
PARTS = {
    "a name that steers terminals": Part(
        f"{BUSINESS}.name", '"\\u001b]0;x\\u0007\\u202eevil\\u2069\\r\\nFailed: forged\\u0000"'
    ),
    "a long name": Part(f"{BUSINESS}.name", json.dumps("N" * 100_000)),
    "a name that is an object": Part(f"{BUSINESS}.name", '{"a": 1}'),
    "a name that is null": Part(f"{BUSINESS}.name", "null"),
    "an account that leads elsewhere": no_account('"../../auth/oauth/token?x=1#"', ODD),
    "an account with a line end": no_account('"a\\r\\nX-Evil: 1"', ODD),
    "an account with braces": no_account('"{business_id}"', ODD),
    "an account that is long": no_account(json.dumps("a" * 100_000), "a text of 100000 characters"),
    "an account that is an object": no_account('{"a": 1}', "an object"),
    "an account that is a number": no_account("12", "a number"),
    "accounts that are the same": Part(f"{MEMBERSHIPS}.*.business.account_id", '"{account_id}"'),
    "a uuid with a slash": no_uuid('"a/b"', ODD),
    "a uuid that is a list": no_uuid('["a"]', "a list"),
    "ids that are all halves": Part(f"{MEMBERSHIPS}.*.business.id", "1.5", NO_NUMBER),
    "an id that is text": Part(f"{BUSINESS}.id", '"{id}"'),
    "an id that is a half": no_number("1.5"),
    "an id that is true": no_number("true"),
    "an id that is an object": no_number("{}"),
    "an absurd id": no_number("1e1000000"),
    "ids that are the same": Part(f"{MEMBERSHIPS}.*.business.id", "{id}"),
    "memberships that are null": Part(MEMBERSHIPS, "null", NO_MEMBERSHIPS),
    "memberships that are an object": Part(MEMBERSHIPS, "{}", NO_MEMBERSHIPS),
    "memberships that are texts": Part(MEMBERSHIPS, '["a"]', NO_NUMBER),
    "a membership without a business": Part(BUSINESS, "null"),
    "no membership": Part(MEMBERSHIPS, "[]", reaches=False),
    "a response that is a list": Part("response", "[]", NO_MEMBERSHIPS),
    "roles that are odd": Part("response.roles", '[null, 1, {"role": {}}]'),
    "roles that are text": Part("response.roles", '"admin"'),
    "a role that is an object": Part(f"{MEMBERSHIPS}.0.role", '{"a": 1}'),
    "permissions that are odd": Part("response.permissions", '{"{account_id}": [1], "": null}'),
    "permissions that are a list": Part("response.permissions", "[1]"),
    "an address that is a list": Part("response.email", '["a"]'),
}
LISTS = ("taxes", "projects", "ledger_accounts")
STREAMS = ("identity", "businesses", *LISTS, "unified_company_info", "unified_tax_rates")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield Book(sandbox, tmp_path_factory.mktemp("book"), STREAMS, {"max_attempts": 2})


def edits(book: Book, name: str) -> list[dict[str, Any]]:
    """The edit that puts a part into the answer."""
    value = PARTS[name].json
    for key in ("account_id", "id"):
        value = value.replace(f"{{{key}}}", str(book.business[key]))
    return [{"edit": "set", "path": PARTS[name].path, "json": value}]


def test_a_run_that_nothing_disturbs_activates_the_version(whole: Run) -> None:
    assert "taxes" in whole.activated


@pytest.mark.parametrize("name", [name for name in PARTS if not PARTS[name].says])
def test_a_sync_ends_with_a_sentence_or_costs_a_field(
    book: Book, command: Command, name: str
) -> None:
    with book.fault(PATH, edits=edits(book, name)):
        run = book.sync(command, book.config())
    if PARTS[name].ends:
        assert run.status == 1
        assert PARTS[name].ends in run.sentence
        assert not run.output
    else:
        assert run.status == (0 if PARTS[name].reaches else 1)
        assert ("no business was reached" in run.sentence) != PARTS[name].reaches
        assert len(run.records["identity"]) == 1
        assert len(keys(run)) == sum(len(run.records[each]) for each in LISTS)
    assert all(len(line) < 2000 for line in run.errors.splitlines())


@pytest.mark.parametrize("name", [name for name in PARTS if PARTS[name].says])
def test_what_cannot_be_asked_for_costs_the_streams_of_the_business(
    book: Book, command: Command, whole: Run, name: str
) -> None:
    part = PARTS[name]
    with book.fault(PATH, edits=edits(book, name)):
        run = book.sync(command, book.config())
    assert run.status == 1
    [line] = [each for each in run.errors.splitlines() if part.says in each]
    whose = "" if part.path.endswith(".id") else f" of {book.named}"
    assert book.named in line or not whose
    assert run.errors.count("Not read completely: ") == len(part.costs)
    for stream in part.costs:
        assert f"Not read completely: {stream}{whose}\n" in run.errors
    assert run.sentence.startswith(
        f"{len(part.costs)} stream{'s' * (len(part.costs) > 1)} could not be read completely: "
    )
    own = {str(book.business[key]) for key in ("id", "account_id", "business_uuid")}
    own.add(f"businesses:{book.business['id']}")
    for stream in STREAMS[2:]:
        assert run.rows(stream, own) == whole.rows(stream, own)
        assert run.rows(stream, own)
        lost = len(whole.rows(stream)) - len(run.rows(stream))
        mine = len(whole.rows(stream)) - len(whole.rows(stream, own))
        assert lost == (mine if stream in part.costs else 0)
    for stream in LISTS:
        marks = {key: has for key, has in whole.bookmarks(stream).items() if key not in own}
        assert marks.items() <= run.bookmarks(stream).items()
    assert "taxes" in run.activated or "taxes" in part.costs
    assert not run.activated & set(part.costs)


@pytest.mark.parametrize("name", ["an account that is an object", "an id that is a half"])
def test_business_ids_leave_it_out(book: Book, command: Command, whole: Run, name: str) -> None:
    other = book.sandbox.businesses()[1]
    with book.fault(PATH, edits=edits(book, name)):
        run = book.sync(command, book.config(business_ids=[other["id"]]))
    assert run.status == 0
    assert PARTS[name].says not in run.errors
    assert run.rows("taxes")
    assert set(run.rows("taxes")) < set(whole.rows("taxes"))


@pytest.mark.parametrize("name", ["an account that is an object", "an id that is a half"])
def test_a_business_that_was_read_before_keeps_its_bookmarks_and_rows(
    book: Book, command: Command, whole: Run, name: str
) -> None:
    state = book.folder / "state.json"
    state.write_text(json.dumps(whole.state))
    with book.fault(PATH, edits=edits(book, name)):
        run = book.sync(command, book.config(), "--state", str(state))
    assert run.status == 1
    assert "taxes" not in run.activated
    account = str(book.business["account_id"])
    parts = [each.state["bookmarks"]["taxes"]["partitions"] for each in (whole, run)]
    before, after = ([p for p in part if p["context"]["account_id"] == account] for part in parts)
    assert before == after


def keys(run: Run) -> set[tuple[str, str]]:
    """The keys of all rows."""
    names = ("account_id", "business_id", "business_uuid", "id", "uuid")
    return {
        (stream, json.dumps([row.get(name) for name in names], default=str))
        for stream in LISTS
        for row in run.records[stream]
    }


@pytest.mark.parametrize("subcommand", ["status", "estimate", "doctor"])
@pytest.mark.parametrize("name", PARTS)
def test_commands_end_with_a_sentence_or_show_the_rest(
    book: Book, command: Command, name: str, subcommand: str
) -> None:
    config = book.config()
    file = book.folder / "config.json"
    file.write_text(json.dumps(config))
    options = {
        "status": (),
        "estimate": ("--catalog", str(book.catalog)),
        "doctor": ("--catalog", str(book.catalog), "--limit", "3"),
    }
    with book.fault(PATH, edits=edits(book, name)):
        run = Run(*command(subcommand, "--config", str(file), *options[subcommand]))
    check_texts(run, config)
    check_texts(Run(run.status, "", run.output), config)
    assert len(run.output + run.errors) < 50_000
    if PARTS[name].ends:
        assert run.status == 1
        assert PARTS[name].ends in run.sentence
    else:
        assert run.status in {0, 1}
        assert run.output
        assert PARTS[name].says in run.errors


@pytest.mark.parametrize("name", ["an account that is an object", "an id that is a half"])
def test_with_webhooks_the_next_run_says_it_again(
    book: Book, command: Command, tmp_path: Path, name: str
) -> None:
    config = book.config(webhook_inbox=str(tmp_path / "inbox.db"))
    state = tmp_path / "state.json"
    state.write_text("{}")
    FakeReceiver(book.sandbox, tmp_path)
    with book.fault(PATH, edits=edits(book, name)):
        for _ in range(2):
            run = book.sync(command, config, "--state", str(state))
            assert run.status == 1
            assert run.errors.count(PARTS[name].says) == 1
            assert run.errors.count("Not read completely: ") == len(PARTS[name].costs)
            state.write_text(json.dumps(run.state))


def test_a_path_that_needs_an_identifier_like_that_is_not_asked_for(
    book: Book, command: Command
) -> None:
    file = book.folder / "config.json"
    file.write_text(json.dumps(book.config()))
    path = "/accounting/account/{account_id}/taxes/taxes"
    options = ("--config", str(file), "--business", str(book.business["id"]))
    with book.fault(PATH, edits=edits(book, "an account that leads elsewhere")):
        run = Run(*command("api", path, *options))
    assert run.status == 2
    assert "has no usable account_id" in run.errors
    assert not run.output
