"""Hostile answers to a revocation: tokens are forgotten only where FreshBooks has confirmed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tap_freshbooks.tap import TapFreshBooks
from tests.hostile.answers import DEEP, KINDS, NO_LIST
from tests.hostile.harness import Book, Run, check_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import Command

REVOKE = "/auth/oauth/revoke"

CONFIRMED = {"{}", "empty", "204", "blanks", "206, half of it", "half of it"}
"""Kinds that say that it is done: nothing, or the object of `docs/freshbooks-api/auth.md §5`.

Of half of it nothing is left, and FreshBooks has revoked them.
"""

OTHERWISE = {
    NO_LIST: "something that confirms nothing",
    DEEP: "something that is not complete JSON",
    "larger than 1 MB": "got no complete answer",
    "cannot be unpacked": "got no complete answer",
    "not asked for": "got no complete answer",
}
"""What is said here of kinds of which other requests say something else."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Sandbox(invoices=10, rate_limit=0) as sandbox:
        yield Book(sandbox, tmp_path_factory.mktemp("book"), ("items",))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a drip"])
def test_tokens_are_forgotten_only_if_freshbooks_confirms_it(
    book: Book, command: Command, kind: str
) -> None:
    config = book.config()
    file = book.folder / "config.json"
    file.write_text(json.dumps(config))
    TapFreshBooks(config=config, setup_mapper=False).connection.authenticator.access_token()
    store = Path(config["token_store"])
    before = json.loads(store.read_text())
    with book.fault(REVOKE, **KINDS[kind].fault):
        run = Run(*command("logout", "--config", str(file)))
    check_texts(run, config)
    assert before["access_token"] not in run.output + run.errors
    assert before["refresh_token"] not in run.output + run.errors
    if kind in CONFIRMED:
        assert run.status == 0
        assert not store.exists() or "refresh_token" not in json.loads(store.read_text())
    else:
        assert run.status == 1
        assert run.sentence.startswith("the tokens could not be revoked: ")
        assert OTHERWISE.get(KINDS[kind].says, KINDS[kind].says) in run.sentence
        assert "nothing was forgotten" in run.sentence
        assert json.loads(store.read_text()) == before
