"""The context in which an expression is compiled: the column, the records, the listener."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tap_freshbooks.records import Row

if TYPE_CHECKING:
    from tap_freshbooks.schema.fields import Object

Function = Callable[[Row, Row], Any]
"""Gives a value from a native record and the columns that are already filled."""


class MappingListener(Protocol):
    """Is notified of values that a column could not take over."""

    def on_unmapped(self, column: str, value: object) -> None:
        """A value is in no table of codes, or not in the enum."""

    def on_invalid(self, column: str, value: object) -> None:
        """A value of an unexpected type became null."""


@dataclass(frozen=True, slots=True)
class CompileContext:
    """The column that an expression fills, and the records that it is filled from.

    Attributes:
        column: Name of the column.
        type: Type of the column, a key of `SCHEMAS`.
        required: True if it is never null.
        fields: Of the native records.
        listener: Is notified of values that the column cannot take over.
        builtins: Values that the tap itself gives to each record, by name.
    """

    column: str
    type: str
    required: bool
    fields: Object
    listener: MappingListener
    builtins: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)
