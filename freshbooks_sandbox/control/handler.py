"""How a handle below `/_sandbox` answers, and how it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from freshbooks_sandbox.errors import Refusal
from freshbooks_sandbox.families.base import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from freshbooks_sandbox.state import State


def _json(content: Any, status: int = 200) -> Response:
    return Response(encode(content), status, media_type="application/json")


def careful(
    handler: Callable[[State, Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint around a handler, with errors that say what was wrong with the order."""

    async def endpoint(request: Request) -> Response:
        state: State = request.app.state.sandbox
        try:
            return _json(await handler(state, request))
        except (msgspec.DecodeError, ValueError) as problem:
            return _json({"error": str(problem)}, 422)
        except KeyError as problem:
            return _json({"error": f"There is no {problem.args[0]!r} here."}, 404)
        except Refusal as refusal:
            return _json({"error": refusal.message, "field": refusal.field}, refusal.status)

    return endpoint
