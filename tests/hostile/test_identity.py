"""Hostile parts of users/me: what names nothing usable ends the run, the rest costs a field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from freshbooks_sandbox import Sandbox
from tests.hostile.harness import Book, Run, check_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

PATH = "/auth/api/v1/users/me"
MEMBERSHIPS = "response.business_memberships"
BUSINESS = f"{MEMBERSHIPS}.0.business"

NO_MEMBERSHIPS = "the identity of the token: the answer does not name any memberships"
NO_NUMBER = "the identity of the token: the answer names a business whose id is no whole number"
NO_PATH = "something that no path can hold; please report this. business_ids can leave the business"


class Part(NamedTuple):
    """A part of the answer, as JSON, and what the run ends with, empty if it goes on."""

    path: str
    json: str
    ends: str = ""


ACCOUNT, UUID = f"{BUSINESS}.account_id", f"{BUSINESS}.business_uuid"
PARTS = {
    "a name that steers terminals": Part(
        f"{BUSINESS}.name", '"\\u001b]0;x\\u0007\\u202eevil\\u2069\\r\\nFailed: forged\\u0000"'
    ),
    "a long name": Part(f"{BUSINESS}.name", json.dumps("N" * 100_000)),
    "a name that is an object": Part(f"{BUSINESS}.name", '{"a": 1}'),
    "a name that is null": Part(f"{BUSINESS}.name", "null"),
    "an account that leads elsewhere": Part(ACCOUNT, '"../../auth/oauth/token?x=1#"', NO_PATH),
    "an account with a line end": Part(ACCOUNT, '"a\\r\\nX-Evil: 1"', NO_PATH),
    "an account with braces": Part(ACCOUNT, '"{business_id}"', NO_PATH),
    "an account that is long": Part(ACCOUNT, json.dumps("a" * 100_000), NO_PATH),
    "an account that is an object": Part(ACCOUNT, '{"a": 1}', NO_PATH),
    "an account that is a number": Part(ACCOUNT, "12", NO_PATH),
    "accounts that are the same": Part(f"{MEMBERSHIPS}.*.business.account_id", '"{account_id}"'),
    "a uuid with a slash": Part(UUID, '"a/b"', NO_PATH),
    "a uuid that is a list": Part(UUID, '["a"]', NO_PATH),
    "an id that is text": Part(f"{BUSINESS}.id", '"{id}"'),
    "an id that is a half": Part(f"{BUSINESS}.id", "1.5", NO_NUMBER),
    "an id that is true": Part(f"{BUSINESS}.id", "true", NO_NUMBER),
    "an id that is an object": Part(f"{BUSINESS}.id", "{}", NO_NUMBER),
    "an absurd id": Part(f"{BUSINESS}.id", "1e1000000", NO_NUMBER),
    "ids that are the same": Part(f"{MEMBERSHIPS}.*.business.id", "{id}"),
    "memberships that are null": Part(MEMBERSHIPS, "null", NO_MEMBERSHIPS),
    "memberships that are an object": Part(MEMBERSHIPS, "{}", NO_MEMBERSHIPS),
    "memberships that are texts": Part(MEMBERSHIPS, '["a"]', NO_NUMBER),
    "a membership without a business": Part(BUSINESS, "null"),
    "no membership": Part(MEMBERSHIPS, "[]"),
    "a response that is a list": Part("response", "[]", NO_MEMBERSHIPS),
    "roles that are odd": Part("response.roles", '[null, 1, {"role": {}}]'),
    "roles that are text": Part("response.roles", '"admin"'),
    "a role that is an object": Part(f"{MEMBERSHIPS}.0.role", '{"a": 1}'),
    "permissions that are odd": Part("response.permissions", '{"{account_id}": [1], "": null}'),
    "permissions that are a list": Part("response.permissions", "[1]"),
    "an address that is a list": Part("response.email", '["a"]'),
}
STREAMS = ("identity", "businesses", "taxes", "projects", "ledger_accounts")


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


@pytest.mark.parametrize("name", PARTS)
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
        assert run.status == 0
        assert len(run.records["identity"]) == 1
        assert len(keys(run)) == sum(len(run.records[each]) for each in STREAMS[2:])
    assert all(len(line) < 2000 for line in run.errors.splitlines())


def keys(run: Run) -> set[tuple[str, str]]:
    """The keys of all rows."""
    names = ("account_id", "business_id", "business_uuid", "id", "uuid")
    return {
        (stream, json.dumps([row.get(name) for name in names], default=str))
        for stream in STREAMS[2:]
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
