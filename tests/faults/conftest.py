from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.account import Account
from tests.faults.worker import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freshbooks_sandbox import Sandbox

STORES = ("file", "config", "sqlite", "postgres")


@pytest.fixture
def new_account(
    sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Account]]:
    """Makes accounts whose tokens are in a store of the kind that is named."""
    count = 0
    patches = []

    def make(kind: str) -> Account:
        nonlocal count
        count += 1
        folder = tmp_path / f"{kind}-{count}"
        folder.mkdir()
        place: str | Path = folder / "tokens.json"
        if kind == "sqlite":
            place = f"sqlite:///{folder / 'tokens.db'}"
        elif kind == "postgres":
            place = request.getfixturevalue("postgres").url()
        account = Account(sandbox, place, folder, holds_seed=kind == "config")
        patches.append(begin(account.client))
        return account

    yield make
    for patch in reversed(patches):
        patch.undo()
    sandbox.faults_clear()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each kind of store."""
    return str(request.param)


@pytest.fixture
def account(store: str, new_account: Callable[[str], Account]) -> Account:
    """An account, once for each kind of store."""
    return new_account(store)


@pytest.fixture
def file_account(new_account: Callable[[str], Account]) -> Account:
    """An account whose tokens are in a file of their own."""
    return new_account("file")
