from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.webhooks.inbox import Inbox
from tests.webhooks.server.load import kill_under_load, stored

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_was_answered_outlives_a_kill(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    location = str(tmp_path / "inbox.db")
    if kind == "postgres":
        server = request.getfixturevalue("postgres")
        with server.connect() as connection:
            connection.execute("CREATE DATABASE webhooks_load")
        location = server.url("webhooks_load")
    load = kill_under_load(location, tmp_path, 2, (0.0, 0.3))
    assert load.answered
    with closing(Inbox(location)) as inbox:
        assert load.answered <= stored(inbox)
