"""The token and revoke endpoints: form, JSON or multipart bodies, credentials in body or header."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.responses import JSONResponse, Response

from freshbooks_sandbox.oauth import UNSUPPORTED_GRANT, OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from freshbooks_sandbox.state import State

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def client_id_of(content_type: str, authorization: str, body: bytes) -> str | None:
    """The client id of a request, for the counts; None where the body does not show it easily."""
    basic = _basic(authorization)
    if basic is not None:
        return basic[0]
    fields = _fields(content_type, body)
    found = fields.get("client_id")
    return found if isinstance(found, str) else None


def _fields(content_type: str, body: bytes) -> Mapping[str, Any]:
    if "json" in content_type:
        try:
            found = msgspec.json.decode(body or b"{}")
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}
    if "multipart" in content_type:
        return {}
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _basic(authorization: str) -> tuple[str, str] | None:
    kind, _, encoded = authorization.partition(" ")
    if kind.casefold() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(user), unquote(password)


async def _read(request: Request) -> dict[str, str]:
    content_type = request.headers.get("content-type", "")
    fields: Mapping[str, Any]
    if "multipart" in content_type:
        fields = await request.form()
    else:
        fields = _fields(content_type, await request.body())
    found = {name: value for name, value in fields.items() if isinstance(value, str)}
    basic = _basic(request.headers.get("authorization", ""))
    if basic is not None:
        found["client_id"], found["client_secret"] = basic
    return found


def _required(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise OAuthError(400, "invalid_request", f"Missing required parameter: {name}.")
    return fields[name]


def _answer(state: State, fields: Mapping[str, str]) -> dict[str, Any]:
    grant_type = _required(fields, "grant_type")
    app = state.oauth.authenticate(fields.get("client_id"), fields.get("client_secret"))
    if grant_type == "authorization_code":
        code = _required(fields, "code")
        redirect_uri = _required(fields, "redirect_uri")
        return state.oauth.exchange(app, code, redirect_uri, fields.get("code_verifier"))
    if grant_type == "refresh_token":
        # Two live clients refresh without redirect_uri (docs/freshbooks-api/auth.md §4).
        return state.oauth.refresh(app, _required(fields, "refresh_token"))
    raise OAuthError(400, "unsupported_grant_type", UNSUPPORTED_GRANT)


def _error_response(problem: OAuthError) -> Response:
    headers = dict(NO_STORE)
    if problem.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = (
            f'Bearer realm="FreshBooks", error="{problem.error}", error_description="{problem}"'
        )
    content = {"error": problem.error, "error_description": str(problem)}
    return JSONResponse(content, problem.status, headers)


async def token(request: Request) -> Response:
    """`POST /auth/oauth/token` (docs/freshbooks-api/auth.md §4, §6)."""
    state: State = request.app.state.sandbox
    fields = await _read(request)
    try:
        return JSONResponse(_answer(state, fields), headers=NO_STORE)
    except OAuthError as problem:
        return _error_response(problem)


async def revoke(request: Request) -> Response:
    """`POST /auth/oauth/revoke` (docs/freshbooks-api/auth.md §5)."""
    state: State = request.app.state.sandbox
    fields = await _read(request)
    try:
        app = state.oauth.authenticate(fields.get("client_id"), fields.get("client_secret"))
    except OAuthError as problem:
        return _error_response(problem)
    state.oauth.revoke(app, fields.get("token", ""))
    return JSONResponse({}, headers=NO_STORE)
