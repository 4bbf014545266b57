"""The ASGI application: OAuth, users/me, the API families and the control of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from freshbooks_sandbox import api, applications, consent, identity, pkce, scopes, token_endpoint
from freshbooks_sandbox.control import endpoints
from freshbooks_sandbox.middleware import ApiMiddleware
from freshbooks_sandbox.webhooks import control as webhooks

if TYPE_CHECKING:
    from starlette.requests import Request

    from freshbooks_sandbox.state import State

# The documented paths, and those of the metadata document (docs/freshbooks-api/auth.md §1).
OAUTH = ("/auth/oauth", "/service/auth/oauth")
AUTHORIZE = (
    "/oauth/authorize",
    "/oauth/authorize/",
    "/auth/oauth/authorize",
    "/auth/oauth/authorize/",
    "/service/auth/oauth/authorize",
)
APPLICATIONS = (
    "/auth/api/v1/partners/applications",
    "/auth/api/v1/partners/applications/{client_id}",
)


async def _metadata(request: Request) -> JSONResponse:
    base = f"{str(request.base_url).rstrip('/')}/service/auth/oauth"
    return JSONResponse(
        {
            "issuer": str(request.base_url).rstrip("/"),
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "revocation_endpoint": f"{base}/revoke",
            "scopes_supported": sorted(scopes.ALL),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": [pkce.METHOD],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )


def build(state: State) -> Starlette:
    """The application around one sandbox's state."""
    routes = [
        *endpoints.ROUTES,
        *webhooks.ROUTES,
        *(Route(path, consent.show, methods=["GET"]) for path in AUTHORIZE),
        *(Route(path, consent.decide, methods=["POST"]) for path in AUTHORIZE),
        *(Route(f"{path}/token", token_endpoint.token, methods=["POST"]) for path in OAUTH),
        *(Route(f"{path}/revoke", token_endpoint.revoke, methods=["POST"]) for path in OAUTH),
        Route("/.well-known/oauth-authorization-server", _metadata, methods=["GET"]),
        Route("/auth/api/v1/users/me", identity.users_me, methods=["GET"]),
        *(Route(path, applications.applications, methods=["GET"]) for path in APPLICATIONS),
        Route("/{path:path}", api.endpoint, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(ApiMiddleware, state=state)])
    app.state.sandbox = state
    return app
