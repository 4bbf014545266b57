"""The authorisation page: what a user sees in the browser and agrees to.

See docs/freshbooks-api/auth.md §3.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from freshbooks_sandbox import pkce, scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from freshbooks_sandbox.oauth import App
    from freshbooks_sandbox.state import State

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>FreshBooks sandbox</title></head>
<body><h1>{title}</h1>{content}</body></html>"""

FORM = """<p>The application <code>{client}</code> asks {name} for these permissions:</p>
<ul>{permissions}</ul>
<form method="post">{hidden}
<button name="decision" value="allow">Authorize</button>
<button name="decision" value="deny">Deny</button></form>"""

BAD_SCOPE = "The requested scope is invalid, unknown, or malformed"
BAD_REDIRECT = "The redirect uri included is not valid."
DECLINED = "The resource owner or authorization server denied the request."
BAD_CHALLENGE = f"The code challenge method must be {pkce.METHOD}."
KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def _page(title: str, content: str = "", status: int = 200) -> HTMLResponse:
    return HTMLResponse(PAGE.format(title=escape(title), content=content), status)


def _check(state: State, asked: Mapping[str, str]) -> Response | tuple[App, frozenset[str]]:
    app = state.oauth.apps.get(asked.get("client_id", ""))
    if app is None:
        # Seen live (docs/freshbooks-api/auth.md §3).
        return _page("Internal Server Error", status=500)
    if asked.get("redirect_uri") not in app.redirect_uris:
        return _page("An error has occurred", f"<p>{BAD_REDIRECT}</p>", 400)
    if asked.get("response_type") != "code":
        text = "The authorization server does not support this response type."
        return _page("An error has occurred", f"<p>{text}</p>", 400)
    if not _understands_challenge(state, asked):
        return _page("An error has occurred", f"<p>{BAD_CHALLENGE}</p>", 400)
    unasked = app.scopes
    if state.behaviours.default_scopes == "profile":
        unasked = frozenset({scopes.PROFILE})
    wanted = frozenset(asked.get("scope", "").split()) or unasked
    if not wanted <= app.scopes | {scopes.PROFILE}:
        # The whole consent fails, and nothing says which scope (docs/freshbooks-api/auth.md §3).
        return _page("An error has occurred", f"<p>{BAD_SCOPE}</p>", 400)
    return app, wanted | {scopes.PROFILE}


def _understands_challenge(state: State, asked: Mapping[str, str]) -> bool:
    if state.behaviours.pkce == "ignored" or not asked.get("code_challenge"):
        return True
    return asked.get("code_challenge_method") == pkce.METHOD


async def show(request: Request) -> Response:
    """`GET /oauth/authorize`: the form."""
    state: State = request.app.state.sandbox
    asked = dict(request.query_params)
    checked = _check(state, asked)
    if isinstance(checked, Response):
        return checked
    app, wanted = checked
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name], quote=True)}">'
        for name in KEPT
        if name in asked
    )
    permissions = "".join(f"<li>{escape(name)}</li>" for name in sorted(wanted))
    content = FORM.format(
        client=escape(app.client_id[:12]),
        name=escape(state.identity["first_name"]),
        permissions=permissions,
        hidden=hidden,
    )
    return _page("Authorize application", content)


async def decide(request: Request) -> Response:
    """`POST /oauth/authorize`: the user's decision, as a redirect back to the application."""
    state: State = request.app.state.sandbox
    form = {**request.query_params, **await request.form()}
    asked = {name: value for name, value in form.items() if isinstance(value, str)}
    checked = _check(state, asked)
    if isinstance(checked, Response):
        return checked
    app, wanted = checked
    if asked.get("decision") == "allow":
        challenge = asked.get("code_challenge") or None
        code = state.oauth.authorize(app, asked["redirect_uri"], wanted, challenge)
        answer = {"code": code}
    else:
        answer = {"error": "access_denied", "error_description": DECLINED}
    if "state" in asked:
        answer["state"] = asked["state"]
    return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)
