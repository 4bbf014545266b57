"""Receives the answer of a consent at `https://localhost:PORT/…`, and shows what it has reached.

Only this machine can ask, under the very name that the redirect URI has (any other could be
that of a foreign site which points here), and the pages after the consent have a path that
nobody can guess. The code is exchanged once, however often the browser sends it.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, parse_qsl

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tap_freshbooks.errors import TapError
from tap_freshbooks.login import html_pages
from tap_freshbooks.login.authorization_request import ConsentRefused, WrongAnswer
from tap_freshbooks.login.server import Server, guarded

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.requests import Request

    from tap_freshbooks.login.flow import Login
    from tap_freshbooks.login.next_steps import Step
    from tap_freshbooks.login.redirect_uri import LocalAddress

T = TypeVar("T")
R = TypeVar("R")


class NoAnswer(TapError):  # noqa: N818 - an event
    """The user did not come back from FreshBooks in time."""


class LoopbackPage:
    """The page of one login. `run` returns when the user has finished.

    Args:
        login: The steps behind the page.
        address: Where it is, as the redirect URI says.
        listener: A socket that listens there.
        timeout: Seconds to wait for the consent, and then for the choice.
        tell: Shows the user of the terminal a line.

    Attributes:
        done: What became of the choice of businesses; None if the user left the page before.
    """

    def __init__(
        self,
        login: Login,
        address: LocalAddress,
        listener: socket.socket,
        timeout: float,
        tell: Callable[[str], None],
    ) -> None:
        self.login = login
        self.address = address
        self.done: list[Step] | None = None
        self._listener = listener
        self._tell = tell
        self._path = f"/login/{secrets.token_urlsafe(32)}"
        self._timeout = timeout
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._exchange: asyncio.Task[None] | None = None
        self._problem: Exception | None = None
        routes = [
            Route(address.path, self._receive, methods=["GET"]),
            Route(self._path, self._show, methods=["GET"]),
            Route(self._path, self._choose, methods=["POST"]),
        ]
        self._server = Server(guarded(Starlette(routes=routes), address.authority), address)

    def run(self, on_started: Callable[[], None]) -> None:
        """Serve until the user has finished.

        Args:
            on_started: Called when the page can be reached.

        Raises:
            ConsentRefused: If the user declined.
            NoAnswer: If no consent came in time.
            TapError: If the account could not be connected, or the choice not be kept.
        """

        def started() -> None:
            self._server.wait(self._timeout)
            on_started()

        self._server.on_started = started
        # Whatever ends the server: what is under way is brought to its end first.
        with self._worker:
            self._server.run([self._listener])
        if self._problem is not None:
            raise self._problem
        if self.login.account is None:
            raise NoAnswer(
                f"no consent came within {self._timeout:g} seconds; log in again, and if "
                "FreshBooks showed an error: `tap-freshbooks login --help` tells about scopes"
            )

    # What the browser asks for

    async def _receive(self, request: Request) -> Response:
        """The redirect URI: an answer, good or bad, to our question or to another."""
        try:
            code = self.login.consent.code_of(parse_qsl(request.url.query))
        except (WrongAnswer, ConsentRefused) as error:
            if isinstance(error, ConsentRefused) and self._exchange is None:
                return self._ended(error)
            self._tell(f"The browser brought a wrong answer: {error}.")
            return _failure(error, final=False)
        if self._exchange is None:
            self._exchange = asyncio.create_task(self._connect(code))
        try:
            # A browser that goes away must not stop what is under way.
            await asyncio.shield(self._exchange)
        except Exception as error:  # noqa: BLE001 - `run` raises it
            return self._ended(error)
        # An address without the code: nothing of it stays in the history, or in a reload.
        return RedirectResponse(self._path, HTTPStatus.SEE_OTHER)

    async def _connect(self, code: str) -> None:
        self._server.wait(None)
        account = await self._in_worker(self.login.connect, code)
        self._tell(f"Connected as {account.user}. The page in your browser asks for the rest.")
        self._server.wait(self._timeout)

    async def _show(self, request: Request) -> Response:  # noqa: ARG002
        """The form."""
        account = self.login.account
        if account is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        ticked = self.login.choice.current(account.usable)
        return HTMLResponse(html_pages.choosing(account, ticked))

    async def _choose(self, request: Request) -> Response:
        """The form as it was sent."""
        account = self.login.account
        if account is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        form = parse_qs((await request.body()).decode("ascii", "replace"))
        sent = form.get("business", [])
        chosen = [each.business_id for each in account.usable if str(each.business_id) in sent]
        if account.usable and not chosen:
            problem = "Tick at least one business."
            content = html_pages.choosing(account, chosen, problem=problem)
            return HTMLResponse(content, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            steps = await self._in_worker(self.login.choose, chosen)
        except Exception as error:  # noqa: BLE001 - `run` raises it
            return self._ended(error)
        self.done = steps
        content = html_pages.finished([*steps, *self.login.next_steps()])
        return HTMLResponse(content, background=BackgroundTask(self._server.leave))

    async def _in_worker(self, step: Callable[[T], R], argument: T) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, step, argument)

    def _ended(self, error: Exception) -> Response:
        self._problem = error
        response = _failure(error, final=True)
        response.background = BackgroundTask(self._server.leave)
        return response


def _failure(error: Exception, *, final: bool) -> Response:
    sentence = str(error) if isinstance(error, TapError) else "something unexpected happened"
    return HTMLResponse(html_pages.failed(sentence, final=final), HTTPStatus.BAD_REQUEST)
