"""`partners/applications`: the OAuth applications of the developer.

Only the path and the keys of a write body are known
(docs/freshbooks-api/resources/developer_applications.yaml); no secret is among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from freshbooks_sandbox.errors import UNAUTHENTICATED, ApiError, MissingScopeError
from freshbooks_sandbox.families.small import MEMBERS
from freshbooks_sandbox.scopes import PROFILE

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.oauth import App
    from freshbooks_sandbox.state import State


def _record(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client_id,
        "name": f"Application {app.client_id[:6]}",
        "description": None,
        "redirect_uri": app.redirect_uris[0],
        "website_url": None,
        "settings_url": None,
        "logo_public_id": None,
    }


async def applications(request: Request) -> Response:
    """`GET /auth/api/v1/partners/applications[/{client_id}]`."""
    state: State = request.app.state.sandbox
    token = state.oauth.bearer(request.headers.get("authorization"))
    if token is None:
        return JSONResponse(UNAUTHENTICATED, 401)
    if request.scope.get("sandbox.deny") == "scope":
        error = MissingScopeError(token.scopes, PROFILE)
        return JSONResponse(MEMBERS.own_error_body(error, state.behaviours), error.status)
    client_id = request.path_params.get("client_id")
    if client_id is None:
        return JSONResponse({"response": [_record(app) for app in state.oauth.apps.values()]})
    app = state.oauth.apps.get(client_id)
    if app is None:
        return JSONResponse(MEMBERS.own_error_body(ApiError(404), state.behaviours), 404)
    return JSONResponse({"response": _record(app)})
