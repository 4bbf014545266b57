"""The ledger: the chart of accounts of a business."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cast import Cast


def write_ledger(cast: Cast) -> None:
    """The chart of accounts."""
