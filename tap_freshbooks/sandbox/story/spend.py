"""Not yet told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cast import Cast


def write_spend(cast: Cast) -> None:
    """Nothing so far."""
