"""Doctor names the behaviour of the sandbox that was switched on, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.doctor.examining import behaving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freshbooks_sandbox import Sandbox
    from tests.support import Command


@dataclass(frozen=True)
class Row:
    """A behaviour, and what doctor is to say of it.

    `streams` names the streams with another answer, where each list has one of its own. `found` is
    the answer, where it is not the value of the behaviour. `prepare` does to the sandbox what the
    behaviour needs to be seen; `scopes` are those of the token.
    """

    name: str
    value: str
    streams: tuple[str, ...] = ()
    found: str = ""
    prepare: Callable[[Sandbox], object] | None = None
    scopes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


FILTERED = (*("clients", "estimates", "expenses", "invoices", "items", "payments", "tasks"),)
"""The accounting streams whose filter by change a sync uses."""

ROWS = (
    Row("updated_filter_ignored", "items", ("items",), "ignored"),
    Row("updated_filter_ignored", "all", FILTERED, "ignored"),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_behaviour_that_is_switched_on_is_named_and_no_other(
    row: Row, command: Command, tmp_path: Path
) -> None:
    scopes = list(row.scopes) or None
    result = behaving(command, tmp_path, {row.name: row.value}, row.prepare, scopes)
    value = row.found or row.value
    streams = row.streams or (None,)
    assert result.differing == {row.name: {(value, stream) for stream in streams}}
    assert result.status == 1


def test_nothing_differs_where_no_behaviour_is_switched_on(
    command: Command, tmp_path: Path
) -> None:
    result = behaving(command, tmp_path, {})
    assert result.differing == {}
    assert result.status == 0
