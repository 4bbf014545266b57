"""Creating, changing and deleting rows, by the rules that all resources of a family share.

What a body means for one resource is declared beside it, as WriteRules; timestamps move here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.store import Business, Key, Row
    from freshbooks_sandbox.write_rules import Body


def missing(resource: Resource, name: str) -> ApiError:
    """A required field left out."""
    if resource.family.search_brackets:
        return ApiError(422, f"{name} is required.", 1001, name, None, resource.single)
    return ApiError(422, "field required", 2001, name)


def _invalid_value(resource: Resource, value: Any) -> ApiError:
    """A value of an unforeseen kind; errno 1004 stands for any invalid value."""
    errno = 1004 if resource.family.search_brackets else 2001
    return ApiError(422, "Invalid value.", errno, None, value, resource.single)


def _rules(resource: Resource) -> WriteRules:
    return resource.write_rules or WriteRules(is_served=False)


def _check_required(resource: Resource, body: Body) -> None:
    for name in _rules(resource).required:
        if body.get(name) in (None, ""):
            raise missing(resource, name)


def _columns(resource: Resource, body: Body, row: Row | None, business: Business) -> dict[str, Any]:
    rules = _rules(resource)
    for name in rules.forbidden:
        if name in body:
            message = f"The field '{name}' is read-only."
            raise ApiError(403, message, 1038, name, body[name], resource.single)
    if rules.to_columns is not None:
        try:
            return rules.to_columns(body, row, business)
        except (TypeError, ValueError, ArithmeticError, AttributeError) as problem:
            raise _invalid_value(resource, str(problem)) from problem
    known = resource.blank.keys() - set(rules.ignored)
    return {name: value for name, value in body.items() if name in known}


def create(resource: Resource, business: Business, body: Body, now: int) -> Row:
    """A new row.

    Raises:
        ApiError: Where the body is not accepted.
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
    if rules.on_write is not None:
        rules.on_write(row, None, business, now)
    business.changed()
    business.notify(resource.name, "create", row)
    _notify_of_mail(resource, business, row, body)
    return row


def update(resource: Resource, business: Business, row: Row, body: Body, now: int) -> None:
    """Change a row; a body without a change moves no timestamp.

    See docs/freshbooks-api/accounting.md §5.

    Raises:
        ApiError: Where the body is not accepted.
    """
    rules = _rules(resource)
    if rules.delete_by_put and "vis_state" in body and resource.family.search_brackets:
        # All other data of such a body is dropped silently (docs/freshbooks-api/accounting.md §5).
        columns = {"vis_state": body["vis_state"]}
        if columns["vis_state"] not in (0, 1, 2):
            raise _invalid_value(resource, columns["vis_state"])
    else:
        if rules.needs_all_on_put:
            _check_required(resource, body)
        columns = _columns(resource, body, row, business)
    _apply(resource, business, row, columns, now)
    _notify_of_mail(resource, business, row, body)


def _notify_of_mail(resource: Resource, business: Business, row: Row, body: Body) -> None:
    if _rules(resource).can_be_mailed and body.get("action_email"):
        business.notify(resource.name, "sendByEmail", row)


def delete(resource: Resource, business: Business, row: Row, now: int) -> None:
    """Delete a row, softly where the resource does so; a second delete moves nothing."""
    rules = _rules(resource)
    if rules.deleted is None:
        if rules.on_hard_delete is not None:
            rules.on_hard_delete(row, business, now)
        del business.table(resource.name)[row[resource.key]]
        business.changed()
        business.notify(resource.name, "delete", row)
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
    if rules.updated is not None and (rules.delete_moves_timestamp or not is_delete):
        row[rules.updated] = now
    business.changed()
    if rules.on_write is not None:
        rules.on_write(row, before, business, now)
    business.changed()
    was_gone, is_gone = (_is_deleted(resource, state) for state in (before, row))
    business.notify(resource.name, "delete" if is_gone and not was_gone else "update", row)


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
