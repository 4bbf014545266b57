from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(invoices=60, rate_limit=0, behaviours={"payments_collected": "all"}) as running:
        yield running


@pytest.fixture
def settings(books: Sandbox, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """One period: this year."""
    today = datetime.now(UTC).date()
    start = {"start_date": f"{today.year}-01-01", "report_interval": "year"}
    yield {**settings_for(books, tmp_path), **start}
    books.faults_clear()
