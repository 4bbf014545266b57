"""The run that nothing disturbs, with which the others of a module are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.hostile.harness import Book, Run
    from tests.support import Command


@pytest.fixture(scope="module")
def kept() -> dict[str, Run]:
    return {}


@pytest.fixture
def whole(book: Book, command: Command, kept: dict[str, Run]) -> Run:
    """A run that nothing disturbs."""
    if not kept:
        kept["whole"] = book.sync(command, book.config())
        assert kept["whole"].status == 0
        assert all(kept["whole"].records[stream] for stream in book.streams)
    return kept["whole"]
