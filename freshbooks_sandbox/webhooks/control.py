"""`/_sandbox/webhooks` and `/_sandbox/deliveries`: control of what is sent to receivers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from freshbooks_sandbox.control.handler import json_endpoint
from freshbooks_sandbox.webhooks.sender import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.state import State


class Wait(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /_sandbox/deliveries/settle`: for how many seconds at most."""

    timeout: float = 30.0


class Switch(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /_sandbox/webhooks/switch`."""

    callback: int
    business: str = "1"
    verified: bool = False


async def _list(state: State, request: Request) -> Any:
    """All, or those with this `callback`, `status` and `name`, in one `business`."""
    found = state.sender.deliveries()
    query = request.query_params
    if "business" in query:
        account = state.store.find(query["business"]).account_id
        found = [each for each in found if each["fields"]["account_id"] == account]
    if "callback" in query:
        found = [each for each in found if str(each["callbackid"]) == query["callback"]]
    if "status" in query:
        found = [each for each in found if each["status"] == query["status"]]
    if "name" in query:
        found = [each for each in found if each["fields"]["name"] == query["name"]]
    return {"deliveries": found}


async def _forget(state: State, _request: Request) -> Any:
    state.sender.forget()
    return {"deliveries": state.sender.deliveries()}


async def _settle(state: State, request: Request) -> Any:
    wait = msgspec.json.decode(await request.body() or b"{}", type=Wait)
    try:
        async with asyncio.timeout(wait.timeout):
            await state.sender.settle()
    except TimeoutError:
        problem = f"Not all is delivered within {wait.timeout:g} seconds; see the scale of pauses."
        raise ValueError(problem) from None
    return {"deliveries": state.sender.deliveries()}


async def _read_settings(state: State, _request: Request) -> Any:
    return state.sender.settings


async def _set(state: State, request: Request) -> Any:
    """Change those named; the others stay."""
    changes = msgspec.json.decode(await request.body(), type=dict[str, Any])
    settings = {**msgspec.to_builtins(state.sender.settings), **changes}
    state.sender.settings = msgspec.convert(settings, Settings)
    return state.sender.settings


async def _switch(state: State, request: Request) -> Any:
    """Verify or disable a callback silently: nothing is sent and no timestamp moves."""
    switch = msgspec.json.decode(await request.body(), type=Switch)
    business = state.store.find(switch.business)
    callback = business.table("callbacks")[switch.callback]
    callback["verified"] = switch.verified
    business.changed()
    return {"callbackid": switch.callback, "verified": switch.verified}


ROUTES = [
    Route("/_sandbox/deliveries", json_endpoint(_list), methods=["GET"]),
    Route("/_sandbox/deliveries", json_endpoint(_forget), methods=["DELETE"]),
    Route("/_sandbox/deliveries/settle", json_endpoint(_settle), methods=["POST"]),
    Route("/_sandbox/webhooks", json_endpoint(_read_settings), methods=["GET"]),
    Route("/_sandbox/webhooks", json_endpoint(_set), methods=["POST"]),
    Route("/_sandbox/webhooks/switch", json_endpoint(_switch), methods=["POST"]),
]
