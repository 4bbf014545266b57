"""Edits without a token, for demonstrations and tests: the same writes, ordered by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from freshbooks_sandbox import writes
from freshbooks_sandbox.errors import Refusal
from freshbooks_sandbox.resources import BY_NAME

if TYPE_CHECKING:
    from freshbooks_sandbox.resource import Resource
    from freshbooks_sandbox.state import State
    from freshbooks_sandbox.store import Business, Row


class Order(Protocol):
    """What is to be changed; the fault `change` and `POST /_sandbox/edit` both have this form."""

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


def change(state: State, order: Order) -> list[dict[str, Any]]:
    """Carry it out.

    Raises:
        KeyError: For a resource, business or row that does not exist.
        Refusal: Where the values are not accepted.
    """
    resource = BY_NAME[order.resource]
    if resource.rows is not None:
        raise Refusal(422, f"{resource.name} follow from other resources: edit those.")
    business = state.store.find(order.business)
    business.at(state.clock.today())
    likeness = _likeness(resource, business) if order.action == "create" else {}
    changed = [_one(state, order, resource, business, likeness) for _ in range(order.count)]
    return [resource.record(row, business) for row in changed]


def _one(
    state: State, order: Order, resource: Resource, business: Business, likeness: dict[str, Any]
) -> Row:
    now = state.clock.moment()
    if order.action == "create":
        rules = resource.writes
        example = rules.example(business) if rules and rules.example else {}
        return writes.create(resource, business, {**likeness, **example, **order.values}, now)
    row = writes.pick(resource, business, order.which)
    if order.action == "update":
        rules, values = resource.writes, order.values
        if rules is not None and rules.needs_all_on_put and "vis_state" not in values:
            record = resource.record(row, business)
            values = {**{name: record[name] for name in rules.required}, **values}
        writes.update(resource, business, row, values, now)
    else:
        writes.delete(resource, business, row, now)
    return row


def _likeness(resource: Resource, business: Business) -> dict[str, Any]:
    """What a client would have to send, as the newest row says it."""
    rules = resource.writes
    if rules is None:
        return {}
    try:
        model = resource.record(writes.pick(resource, business, "newest"), business)
    except KeyError:
        model = {}
    return {name: model[name] for name in rules.required if name in model}
