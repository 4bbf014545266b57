from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _environment_with_dotenv(
    _bare_environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let a `.env` be read, and forget what it adds to the environment."""
    monkeypatch.delenv("PYTHON_DOTENV_DISABLED")
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
