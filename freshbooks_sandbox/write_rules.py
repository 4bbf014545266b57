"""The rules by which a resource is written, declared beside it; writes.py carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business, Key, Row

Body = Mapping[str, Any]
ToColumns = Callable[[Body, "Row | None", "Business"], dict[str, Any]]
OnWrite = Callable[["Row", "Row | None", "Business", int], None]
OnHardDelete = Callable[["Row", "Business", int], None]
Defaults = Callable[["Business", int], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class WriteRules:
    """The rules by which one resource is written.

    `to_columns` turns a body into columns of the row and refuses bad values; `on_write` carries out
    what follows for other rows, given the row, its columns before (None when new) and the moment;
    `on_hard_delete` does so where a row is removed.
    `deleted` is the column and value of a soft delete, None where rows are removed. `is_served` is
    False where the sandbox alone may write, for demonstrations and tests; `example` is the body of
    such a write where none was given. `keyed_by` names the table and column of the record
    that gives the row its key, where one belongs to each; then a write to the item path makes the
    row as well. `new_key` draws keys of another kind. `scope_of` names a scope that a body needs.
    `delete_moves_timestamp` is False where a new vis_state leaves `updated` alone; `protect`
    refuses changes to rows that must stay as they are; `needs_all_on_put` wants all that is
    `required` in every PUT that does more than set the vis_state. `is_delete_only` refuses all
    other writes. `can_be_mailed` is True where a body can send the document by e-mail.
    """

    to_columns: ToColumns | None = None
    on_write: OnWrite | None = None
    on_hard_delete: OnHardDelete | None = None
    defaults: Defaults | None = None
    example: Callable[[Business], Body] | None = None
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    updated: str | None = "updated"
    deleted: tuple[str, Any] | None = ("vis_state", 1)
    replaces: bool = False
    is_served: bool = True
    keyed_by: tuple[str, str] | None = None
    new_key: Callable[[Business, int], Key] | None = None
    scope_of: Callable[[Body], str | None] | None = None
    delete_moves_timestamp: bool = True
    is_delete_only: bool = False
    needs_all_on_put: bool = False
    protect: Callable[[Row, Body], None] | None = None
    http_delete: Literal["soft", "hard", "none"] = "none"
    delete_by_put: bool = True
    can_be_mailed: bool = False
