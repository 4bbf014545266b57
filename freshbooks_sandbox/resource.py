"""The declaration of a resource: one object with everything that is needed to serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.behaviours import named
from freshbooks_sandbox.clock import UTC_FORMS
from freshbooks_sandbox.filters import Filter, FilterContext, Predicate

if TYPE_CHECKING:
    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.families.base import Family
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Row
    from freshbooks_sandbox.write_rules import WriteRules

ABSENT = object()
"""The value of an include whose key is left out altogether."""

Compute = Callable[["Row", "Business"], Mapping[str, Any]]
Include = Callable[["Row", "Business"], Any]
SingleForm = Callable[[dict[str, Any], "Row", "Business"], dict[str, Any]]
Order = Callable[[Iterable["Row"]], Sequence["Row"]]
Visibility = Callable[["Query", FilterContext], Predicate | None]
Rows = Callable[["Business"], Iterable["Row"]]
Meta = Callable[["Query", Sequence["Row"], "Business"], Mapping[str, Any]]
Envelope = Callable[[bytes, "Behaviours"], bytes | None]
Keys = Callable[["Behaviours"], tuple[str, str]]
Reshape = Callable[[dict[str, Any], "Row", FilterContext], None]
AnyScope = tuple[str, ...] | Callable[["Behaviours"], tuple[str, ...]]


def newest_first(rows: Iterable[Row]) -> list[Row]:
    """Id descending, the default of most lists (docs/freshbooks-api/accounting.md §3)."""
    return sorted(rows, key=lambda row: row["id"], reverse=True)


def by_vis_state(query: Query, _context: FilterContext) -> Predicate | None:
    """Active and archived rows, unless `search[vis_state]` names a state.

    See docs/freshbooks-api/accounting.md §5.
    """
    if "vis_state" in query.filters:
        return None
    return lambda row: row["vis_state"] != 1


def everything(_query: Query, _context: FilterContext) -> Predicate | None:
    """No row is hidden."""
    return None


@dataclass(frozen=True, kw_only=True)
class Resource:
    """The facts about one resource.

    `path` is the list path below the identifier of the family; `item_paths` where single records
    live when that differs. `blank` holds the keys that most rows share, `computed` the ones that
    follow from others, `hidden` the keys of a row that never leave the sandbox. `timestamps` says
    from which moment of the row, and in which form, each timestamp is written. `client_key`
    names the column that leads to a client; a customer of the business sees only his own rows.
    `identity_key` names the column of the person to whom alone a row shows itself, and
    `application_key` that of the application, where the behaviour `callbacks_of` says so.
    On project-like resources an include is the bare switch by which it is asked for:
    `include_x` fills `x`, `skip_x` leaves `x_id` out.

    A path or item path may hold one `*`: in an item path it stands for the key, in a list path for
    the record that the rows belong to, and `parent` names its table and the column that leads to
    it. A path of None is not served. `also` lists further places (family, path) of the same list.
    `any_scope` holds full names of scopes, any of which suffices, where the facts name several, or
    says which they are under some behaviours.
    `rows` derives the rows from others; such a resource cannot be edited by itself. `unknown` is
    the body of a 404 that differs from the family's. `is_paged` is False where the paging of the
    family is ignored; `envelope` puts encoded rows into another form than the family's, where it
    gives one. `other_keys` says what stands for `plural` and `single` under some behaviours, and
    `reshape` changes a record by the behaviours and the request. `words` names a field that holds
    one of a few words. `needs_version` is the lowest `x-api-version` that a request must send.
    """

    name: str
    family: Family
    path: str | None
    plural: str
    single: str
    scope: str
    any_scope: AnyScope = ()
    item_paths: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    parent: tuple[str, str] | None = None
    rows: Rows | None = None
    unknown: dict[str, Any] | None = None
    is_paged: bool = True
    is_readable_alone: bool = True
    is_list_presumed: bool = False
    envelope: Envelope | None = None
    other_keys: Keys | None = None
    reshape: Reshape | None = None
    words: str | None = None
    needs_version: str | None = None
    key: str = "id"
    alias: str | None = None
    blank: Mapping[str, Any] = field(default_factory=dict)
    timestamps: Mapping[str, tuple[str, Callable[[int], str]]] = field(default_factory=dict)
    computed: Compute | None = None
    hidden: tuple[str, ...] = ()
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, Callable[[Row, Business], Any]] = field(default_factory=dict)
    unknown_sort_ascends: bool = False
    includes: Mapping[str, Include] = field(default_factory=dict)
    single_form: SingleForm | None = None
    siblings: Mapping[str, Any] = field(default_factory=dict)
    order: Order = newest_first
    visibility: Visibility = by_vis_state
    meta: Meta | None = None
    client_key: str | None = None
    identity_key: str | None = None
    application_key: str | None = None
    write_rules: WriteRules | None = None

    def keys(self, behaviours: Behaviours) -> tuple[str, str]:
        """The key of the list and that of a single record."""
        return self.other_keys(behaviours) if self.other_keys else (self.plural, self.single)

    def table(self, business: Business) -> Iterable[Row]:
        """All rows, deleted ones included."""
        if self.rows is not None:
            return self.rows(business)
        return business.table(self.name).values()

    def record(self, row: Row, business: Business, includes: Iterable[str] = ()) -> dict[str, Any]:
        """The record as the API shows it."""
        record = {**self.blank, **row}
        if self.alias is not None:
            record[self.alias] = row[self.key]
        is_utc = named(business.behaviours.utc_timestamps, self.name)
        for name, (source, form) in self.timestamps.items():
            moment = row.get(source)
            write = UTC_FORMS.get(form, form) if is_utc else form
            record[name] = None if moment is None else write(moment)
        if self.computed is not None:
            record.update(self.computed(row, business))
        for name in self.hidden:
            record.pop(name, None)
        for name in includes:
            if name.startswith("skip_"):
                record.pop(f"{name.removeprefix('skip_')}_id", None)
                continue
            value = self.includes[name](row, business)
            if value is not ABSENT:
                record[name.removeprefix("include_")] = value
        return record
