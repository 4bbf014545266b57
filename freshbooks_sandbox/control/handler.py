"""The JSON form of a path below `/_sandbox`, and of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.base import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from freshbooks_sandbox.state import State


def _json(content: Any, status: int = 200) -> Response:
    return Response(encode(content), status, media_type="application/json")


def json_endpoint(
    handler: Callable[[State, Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint around a handler, with errors that name what was wrong in the body."""

    async def endpoint(request: Request) -> Response:
        state: State = request.app.state.sandbox
        try:
            return _json(await handler(state, request))
        except (msgspec.DecodeError, ValueError) as problem:
            return _json({"error": str(problem)}, 422)
        except KeyError as problem:
            return _json({"error": f"There is no {problem.args[0]!r} here."}, 404)
        except ApiError as error:
            return _json({"error": error.message, "field": error.field}, error.status)

    return endpoint
