"""Creating, changing and deleting rows, by the rules that all resources of a family share.

What a body means for one resource is declared beside it, as Writes; the stamps move here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from freshbooks_sandbox.errors import Refusal

if TYPE_CHECKING:
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.store import Business, Key, Row

Body = Mapping[str, Any]
Translate = Callable[[Body, "Row | None", "Business"], dict[str, Any]]
Settle = Callable[["Row", "Row | None", "Business", int], None]
Farewell = Callable[["Row", "Business", int], None]
Defaults = Callable[["Business", int], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Writes:
    """How one resource is written.

    `translate` turns a body into columns of the row and refuses bad values; `settle` carries out
    what follows for other rows, given the row, what it was before (None when new) and the moment;
    `farewell` does so where a row vanishes.
    `deleted` is the column and value of a soft delete, None where rows vanish. `is_served` is
    False where the sandbox alone may write, for demonstrations and tests; `example` is what such
    a write says where it was told nothing. `keyed_by` names the table and column of the record
    that gives the row its key, where one belongs to each; then a write to the item path makes the
    row as well. `new_key` draws keys of another kind. `scope_of` names a scope that a body needs.
    `moves_on_delete` is False where a new vis_state leaves the stamp alone; `protect` refuses
    changes to rows that are not to be touched; `needs_all_on_put` wants all that is `required` in
    every PUT that does more than set the vis_state. `is_delete_only` refuses all other writes.
    `can_be_mailed` tells of a body that sends the document by e-mail.
    """

    translate: Translate | None = None
    settle: Settle | None = None
    farewell: Farewell | None = None
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
    moves_on_delete: bool = True
    is_delete_only: bool = False
    needs_all_on_put: bool = False
    protect: Callable[[Row, Body], None] | None = None
    http_delete: Literal["soft", "hard", "none"] = "none"
    delete_by_put: bool = True
    can_be_mailed: bool = False


def missing(resource: Resource, name: str) -> Refusal:
    """A required field left out."""
    if resource.family.search_brackets:
        return Refusal(422, f"{name} is required.", 1001, name, None, resource.single)
    return Refusal(422, "field required", 2001, name)


def _nonsense(resource: Resource, value: Any) -> Refusal:
    """A value of a kind that nobody foresaw; errno 1004 stands for any invalid value."""
    errno = 1004 if resource.family.search_brackets else 2001
    return Refusal(422, "Invalid value.", errno, None, value, resource.single)


def _rules(resource: Resource) -> Writes:
    return resource.writes or Writes(is_served=False)


def _check_required(resource: Resource, body: Body) -> None:
    for name in _rules(resource).required:
        if body.get(name) in (None, ""):
            raise missing(resource, name)


def _columns(resource: Resource, body: Body, row: Row | None, business: Business) -> dict[str, Any]:
    rules = _rules(resource)
    for name in rules.forbidden:
        if name in body:
            message = f"The field '{name}' is read-only."
            raise Refusal(403, message, 1038, name, body[name], resource.single)
    if rules.translate is not None:
        try:
            return rules.translate(body, row, business)
        except (TypeError, ValueError, ArithmeticError, AttributeError) as problem:
            raise _nonsense(resource, str(problem)) from problem
    known = resource.blank.keys() - set(rules.ignored)
    return {name: value for name, value in body.items() if name in known}


def create(resource: Resource, business: Business, body: Body, now: int) -> Row:
    """A new row.

    Raises:
        Refusal: Where the body is not accepted.
    """
    rules = _rules(resource)
    _check_required(resource, body)
    columns = _columns(resource, body, None, business)
    row: Row = {**(rules.defaults(business, now) if rules.defaults else {})}
    if rules.keyed_by is not None:
        row[resource.key] = int(body[resource.key])
    elif rules.new_key is not None:
        row[resource.key] = rules.new_key(business, now)
    elif resource.key == "uuid":
        serial = len(business.table(resource.name))
        row["uuid"] = business.uuid_of(f"{resource.name}/{now}", serial)
    else:
        row[resource.key] = business.next_id(resource.name)
    if resource.parent is not None:
        row[resource.parent[1]] = body[resource.parent[1]]
    row |= columns
    for name in (*rules.created, *((rules.updated,) if rules.updated else ())):
        row[name] = now
    if rules.deleted is not None:
        row.setdefault(rules.deleted[0], resource.blank.get(rules.deleted[0], 0))
    business.add(resource.name, row, resource.key)
    business.changed()
    if rules.settle is not None:
        rules.settle(row, None, business, now)
    business.changed()
    business.tell(resource.name, "create", row)
    _tell_of_mail(resource, business, row, body)
    return row


def update(resource: Resource, business: Business, row: Row, body: Body, now: int) -> None:
    """Change a row; what changes nothing moves no stamp (docs/freshbooks-api/accounting.md §5).

    Raises:
        Refusal: Where the body is not accepted.
    """
    rules = _rules(resource)
    if rules.delete_by_put and "vis_state" in body and resource.family.search_brackets:
        # All other data of such a body is dropped silently (docs/freshbooks-api/accounting.md §5).
        columns = {"vis_state": body["vis_state"]}
        if columns["vis_state"] not in (0, 1, 2):
            raise _nonsense(resource, columns["vis_state"])
    else:
        if rules.needs_all_on_put:
            _check_required(resource, body)
        columns = _columns(resource, body, row, business)
    _apply(resource, business, row, columns, now)
    _tell_of_mail(resource, business, row, body)


def _tell_of_mail(resource: Resource, business: Business, row: Row, body: Body) -> None:
    if _rules(resource).can_be_mailed and body.get("action_email"):
        business.tell(resource.name, "sendByEmail", row)


def delete(resource: Resource, business: Business, row: Row, now: int) -> None:
    """Delete a row, softly where the resource does so; a second delete moves nothing."""
    rules = _rules(resource)
    if rules.deleted is None:
        if rules.farewell is not None:
            rules.farewell(row, business, now)
        del business.table(resource.name)[row[resource.key]]
        business.changed()
        business.tell(resource.name, "delete", row)
        return
    _apply(resource, business, row, dict([rules.deleted]), now)


def _apply(
    resource: Resource, business: Business, row: Row, columns: Mapping[str, Any], now: int
) -> None:
    rules = _rules(resource)
    before = dict(row)
    changed = {
        name: value
        for name, value in columns.items()
        if row.get(name, resource.blank.get(name)) != value
    }
    if not changed:
        return
    if rules.protect is not None:
        rules.protect(row, changed)
    row.update(changed)
    is_delete = rules.deleted is not None and changed.keys() == {rules.deleted[0]}
    if rules.updated is not None and (rules.moves_on_delete or not is_delete):
        row[rules.updated] = now
    business.changed()
    if rules.settle is not None:
        rules.settle(row, before, business, now)
    business.changed()
    was_gone, is_gone = (_is_deleted(resource, state) for state in (before, row))
    business.tell(resource.name, "delete" if is_gone and not was_gone else "update", row)


def _is_deleted(resource: Resource, row: Row) -> bool:
    gone = _rules(resource).deleted
    return gone is not None and row.get(gone[0], resource.blank.get(gone[0])) == gone[1]


def pick(resource: Resource, business: Business, which: int | str) -> Row:
    """A row by its key, or the `newest` or `oldest` that is not deleted.

    Raises:
        KeyError: When there is none.
    """
    table: Mapping[Key, Row] = business.table(resource.name)
    if which in ("newest", "oldest"):
        living = [key for key, row in table.items() if not _is_deleted(resource, row)]
        if not living:
            raise KeyError(which)
        return table[living[-1] if which == "newest" else living[0]]
    return table[int(which) if str(which).isdecimal() and which not in table else which]
