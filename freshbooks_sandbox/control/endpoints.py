"""`/_sandbox`: control that the real service does not offer: faults, counts, edits, clock, apps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.routing import Route

from freshbooks_sandbox import changes, scopes
from freshbooks_sandbox.clock import utc_z
from freshbooks_sandbox.control.handler import json_endpoint
from freshbooks_sandbox.faults import AnyDeliveryFault, AnyFault, ChangeRows
from freshbooks_sandbox.resources import BY_NAME

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.state import State

REDIRECT_URI = "https://localhost/callback"


class Edit(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /_sandbox/edit`."""

    action: Literal["create", "update", "delete"]
    resource: str
    business: str = "1"
    which: int | str = "newest"
    values: dict[str, Any] = {}
    count: int = 1


class Registration(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /_sandbox/apps`; every key may be left out."""

    redirect_uri: str = REDIRECT_URI
    scopes: list[str] | None = None
    token_lifetime: int | None = None


class ClockSetting(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /_sandbox/clock`: `now` sets, `advance` (seconds) jumps, `{}` resets."""

    now: datetime | None = None
    advance: float | None = None
    frozen: bool = False


async def _add_fault(state: State, request: Request) -> Any:
    fault = msgspec.json.decode(await request.body(), type=AnyFault | AnyDeliveryFault)
    if isinstance(fault, ChangeRows):
        _ = BY_NAME[fault.resource], state.store.find(fault.business)
    return state.faults.add(fault).as_dict()


async def _list_faults(state: State, _request: Request) -> Any:
    return {"faults": state.faults.list()}


async def _clear_faults(state: State, _request: Request) -> Any:
    state.faults.clear()
    state.sender.release()
    return {"faults": []}


async def _read_stats(state: State, request: Request) -> Any:
    return state.stats.read(request.query_params.get("client_id"))


async def _clear_stats(state: State, _request: Request) -> Any:
    state.stats.clear()
    return state.stats.read()


async def _truth(state: State, request: Request) -> Any:
    """Every row as it stands, deleted and hidden ones included."""
    resource = BY_NAME[request.path_params["resource"]]
    business = state.store.find(request.query_params.get("business", "1"))
    business.at(state.clock.today())
    wanted = request.query_params.get("fields")
    includes = [name for name in request.query_params.get("include", "").split(",") if name]
    for name in includes:
        _ = resource.includes[name]
    rows = []
    for row in resource.table(business):
        record = resource.record(row, business, includes)
        if "_updated" in row:
            record["updated_at"] = utc_z(row["_updated"])
        if "_verifier" in row:
            record["verifier"] = row["_verifier"]
        rows.append({name: record[name] for name in wanted.split(",")} if wanted else record)
    return {"business_id": business.id, "account_id": business.account_id, "rows": rows}


async def _edit(state: State, request: Request) -> Any:
    return {"rows": changes.apply(state, msgspec.json.decode(await request.body(), type=Edit))}


async def _register(state: State, request: Request) -> Any:
    """A new application with a living refresh token, as settings for a tap."""
    wanted = msgspec.json.decode(await request.body() or b"{}", type=Registration)
    if not wanted.redirect_uri.startswith("https://"):
        raise ValueError("A redirect URI must begin with https:// (docs/freshbooks-api/auth.md §2)")
    granted = scopes.ALL if wanted.scopes is None else frozenset(wanted.scopes)
    unknown = granted - scopes.ALL - {scopes.LEGACY}
    if unknown:
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}")
    app = state.oauth.register(wanted.redirect_uri, granted, wanted.token_lifetime)
    tokens = state.oauth.issue(app, granted | {scopes.PROFILE})
    url = str(request.base_url).rstrip("/")
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": wanted.redirect_uri,
        "refresh_token": tokens["refresh_token"],
        "api_url": url,
        "auth_url": url,
    }


async def _expire(state: State, request: Request) -> Any:
    state.oauth.expire(request.query_params.get("client_id"))
    return {}


async def _set_clock(state: State, request: Request) -> Any:
    setting = msgspec.json.decode(await request.body() or b"{}", type=ClockSetting)
    if setting.now is not None:
        now = setting.now if setting.now.tzinfo else setting.now.replace(tzinfo=UTC)
        state.clock.set(now.timestamp(), frozen=setting.frozen)
    elif setting.advance is not None:
        state.clock.advance(setting.advance)
    else:
        state.clock.reset()
    return await _read_clock(state, request)


async def _read_clock(state: State, _request: Request) -> Any:
    return {"now": datetime.fromtimestamp(state.clock.time(), UTC).isoformat()}


async def _businesses(state: State, _request: Request) -> Any:
    return {
        "businesses": [
            {
                "id": business.id,
                "account_id": business.account_id,
                "business_uuid": business.uuid,
                "role": business.role,
                "name": business.name,
                "rows": {name: len(rows) for name, rows in business.tables.items()},
            }
            for business in state.store.businesses
        ]
    }


ROUTES = [
    Route("/_sandbox/faults", json_endpoint(_add_fault), methods=["POST"]),
    Route("/_sandbox/faults", json_endpoint(_list_faults), methods=["GET"]),
    Route("/_sandbox/faults", json_endpoint(_clear_faults), methods=["DELETE"]),
    Route("/_sandbox/stats", json_endpoint(_read_stats), methods=["GET"]),
    Route("/_sandbox/stats", json_endpoint(_clear_stats), methods=["DELETE"]),
    Route("/_sandbox/truth/{resource}", json_endpoint(_truth), methods=["GET"]),
    Route("/_sandbox/edit", json_endpoint(_edit), methods=["POST"]),
    Route("/_sandbox/apps", json_endpoint(_register), methods=["POST"]),
    Route("/_sandbox/expire", json_endpoint(_expire), methods=["POST"]),
    Route("/_sandbox/clock", json_endpoint(_set_clock), methods=["POST"]),
    Route("/_sandbox/clock", json_endpoint(_read_clock), methods=["GET"]),
    Route("/_sandbox/businesses", json_endpoint(_businesses), methods=["GET"]),
]
