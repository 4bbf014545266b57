"""The form of a conversion, and who is notified of what it could not keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Converter = Callable[[Any], Any]
"""Makes of a value of FreshBooks the value of a record; None if it does not fit."""


class ConversionListener(Protocol):
    """Is notified of values that a conversion could not keep.

    Paths look like `lines.unit_cost`.
    """

    def on_unknown(self, path: str) -> None:
        """A field that is not declared was dropped."""

    def on_invalid(self, path: str, value: object) -> None:
        """A value of an unexpected type became null."""

    def on_withheld(self, path: str) -> None:
        """What looks like a credential was left out of an object without fixed fields."""

    def on_shortened(self, path: str) -> None:
        """A time of day was left out, behind a date."""


class SilentListener(ConversionListener):
    """Lets a conversion leave out what it cannot keep."""

    def on_unknown(self, path: str) -> None:
        """It is not told."""

    def on_invalid(self, path: str, value: object) -> None:
        """It is not told."""

    def on_withheld(self, path: str) -> None:
        """It is not told."""

    def on_shortened(self, path: str) -> None:
        """It is not told."""
