"""The declaration of a response that is neither a list nor a record: a report, a single object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freshbooks_sandbox.filters import FilterContext
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.resource import AnyScope

Build = Callable[["Query", "FilterContext", str | None], Any]


@dataclass(frozen=True, kw_only=True)
class View:
    """One document, made when it is asked for.

    `paths` are its places (family, path), with `*` for one part that `build` gets as its last
    argument. `any_scope` holds full names of scopes, any of which suffices. `build` answers an
    object, or bytes that are encoded already. `denied_status` is that of a plan without it.
    All of `more_scopes` are needed besides; which they are may depend on behaviours.
    """

    name: str
    paths: tuple[tuple[str, str], ...]
    any_scope: tuple[str, ...]
    build: Build
    is_for_clients: bool = True
    more_scopes: AnyScope = ()
    denied_status: int = 401
