"""Changes without a token, for demonstrations and tests: the same writes as a client makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from freshbooks_sandbox import writes
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.resources import BY_NAME

if TYPE_CHECKING:
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.state import State
    from freshbooks_sandbox.store import Business, Row


class Edit(Protocol):
    """One change of rows, in the form of the fault `change` and of `POST /_sandbox/edit`."""

    @property
    def action(self) -> str:
        """`create`, `update` or `delete`."""

    @property
    def resource(self) -> str:
        """The resource's name."""

    @property
    def business(self) -> str:
        """Any identifier of the business, or its position from 1."""

    @property
    def which(self) -> int | str:
        """The key of the row, `newest` or `oldest`."""

    @property
    def values(self) -> dict[str, Any]:
        """The body, without what would be required of a client."""

    @property
    def count(self) -> int:
        """How many rows to create, update or delete."""


def apply(state: State, edit: Edit) -> list[dict[str, Any]]:
    """Make the change, and give the records as they are then.

    Raises:
        KeyError: For a resource, business or row that does not exist.
        ApiError: Where the values are not accepted.
    """
    resource = BY_NAME[edit.resource]
    if resource.rows is not None:
        raise ApiError(422, f"{resource.name} follow from other resources: edit those.")
    business = state.store.find(edit.business)
    business.at(state.clock.today())
    template = _template(resource, business) if edit.action == "create" else {}
    changed = [_apply_once(state, edit, resource, business, template) for _ in range(edit.count)]
    return [resource.record(row, business) for row in changed]


def _apply_once(
    state: State, edit: Edit, resource: Resource, business: Business, template: dict[str, Any]
) -> Row:
    now = state.clock.moment()
    if edit.action == "create":
        rules = resource.write_rules
        example = rules.example(business) if rules and rules.example else {}
        return writes.create(resource, business, {**template, **example, **edit.values}, now)
    row = writes.pick(resource, business, edit.which)
    if edit.action == "update":
        rules, values = resource.write_rules, edit.values
        if rules is not None and rules.needs_all_on_put and "vis_state" not in values:
            record = resource.record(row, business)
            values = {**{name: record[name] for name in rules.required}, **values}
        writes.update(resource, business, row, values, now)
    else:
        writes.delete(resource, business, row, now)
    return row


def _template(resource: Resource, business: Business) -> dict[str, Any]:
    """The values that a client would have to send, as the newest row has them."""
    rules = resource.write_rules
    if rules is None:
        return {}
    try:
        model = resource.record(writes.pick(resource, business, "newest"), business)
    except KeyError:
        model = {}
    return {name: model[name] for name in rules.required if name in model}
