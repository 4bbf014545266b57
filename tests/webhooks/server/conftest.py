"""A receiver that runs in a thread, with one callback that is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.webhooks.inbox import Inbox
from tests.webhooks.receivers import ReceiverThread, add_verified_callback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_freshbooks.webhooks.callbacks.store import Callback


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(str(tmp_path / "inbox.db"))


@pytest.fixture
def callback(inbox: Inbox) -> Callback:
    return add_verified_callback(inbox)


@pytest.fixture
def running(inbox: Inbox, callback: Callback) -> Iterator[ReceiverThread]:
    assert callback
    with ReceiverThread(inbox) as running:
        yield running
