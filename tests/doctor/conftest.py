"""A sandbox of accounts and answers that are odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tests.doctor.examining import INVOICES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sandbox_of_module() -> Iterator[Sandbox]:
    with Sandbox(invoices=INVOICES, rate_limit=0) as running:
        yield running


@pytest.fixture
def odd_sandbox(sandbox_of_module: Sandbox) -> Iterator[Sandbox]:
    """A sandbox of this module, whose faults hit every application until the test is over."""
    yield sandbox_of_module
    sandbox_of_module.faults_clear()
