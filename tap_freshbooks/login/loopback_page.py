"""Receives the redirect at `https://localhost:PORT/…`, and shows the account.

Only this machine can ask, under the very name that the redirect URI has (any other could be
that of a foreign site which points here), and the pages after the redirect have a secret
path. The code is exchanged once, however often the browser sends it.
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
from tap_freshbooks.login.authorization_request import (
    AuthorizationDeniedError,
    InvalidRedirectError,
)
from tap_freshbooks.login.server import Server, protected

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.requests import Request

    from tap_freshbooks.login.flow import LoginFlow
    from tap_freshbooks.login.next_steps import Step
    from tap_freshbooks.login.redirect_uri import LoopbackAddress

T = TypeVar("T")
R = TypeVar("R")


class LoginTimeoutError(TapError):
    """The user did not come back from FreshBooks in time."""


class LoopbackPage:
    """The page of one login. `run` returns when the user has finished.

    Args:
        login: The steps that the page takes.
        address: Where it is, as the redirect URI says.
        listener: A socket that listens there.
        timeout: Seconds to wait for the redirect, and then for the selection.
        notify: Shows a line at the terminal.

    Attributes:
        steps: The steps after the selection; None if the user left the page before.
    """

    def __init__(
        self,
        login: LoginFlow,
        address: LoopbackAddress,
        listener: socket.socket,
        timeout: float,
        notify: Callable[[str], None],
    ) -> None:
        self.login = login
        self.address = address
        self.steps: list[Step] | None = None
        self._listener = listener
        self._notify = notify
        self._path = f"/login/{secrets.token_urlsafe(32)}"
        self._timeout = timeout
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._exchange: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        routes = [
            Route(address.path, self._receive, methods=["GET"]),
            Route(self._path, self._show_form, methods=["GET"]),
            Route(self._path, self._receive_form, methods=["POST"]),
        ]
        self._server = Server(protected(Starlette(routes=routes), address.authority), address)

    def run(self, on_started: Callable[[], None]) -> None:
        """Serve until the user has finished.

        Args:
            on_started: Called when the page can be reached.

        Raises:
            AuthorizationDeniedError: If the user declined.
            LoginTimeoutError: If the user did not agree in time.
            TapError: If the account could not be connected, or the selection not be saved.
        """

        def started() -> None:
            self._server.set_timeout(self._timeout)
            on_started()

        self._server.on_started = started
        # Whatever ends the server, a step that has begun is completed first.
        with self._worker:
            self._server.run([self._listener])
        if self._error is not None:
            raise self._error
        if self.login.account is None:
            raise LoginTimeoutError(
                f"no consent came within {self._timeout:g} seconds; log in again, and if "
                "FreshBooks showed an error: `tap-freshbooks login --help` explains scopes"
            )

    # Requests of the browser

    async def _receive(self, request: Request) -> Response:
        """The redirect URI: a redirect, of this request or another."""
        try:
            code = self.login.request.parse_redirect(parse_qsl(request.url.query))
        except (InvalidRedirectError, AuthorizationDeniedError) as error:
            if isinstance(error, AuthorizationDeniedError) and self._exchange is None:
                return self._end(error)
            self._notify(f"The browser brought a wrong answer: {error}.")
            return _failure(error, final=False)
        if self._exchange is None:
            self._exchange = asyncio.create_task(self._connect(code))
        try:
            # A browser that goes away must not cancel the exchange.
            await asyncio.shield(self._exchange)
        except Exception as error:  # noqa: BLE001 - `run` raises it
            return self._end(error)
        # An address without the code, so that the code is in no history and no reload.
        return RedirectResponse(self._path, HTTPStatus.SEE_OTHER)

    async def _connect(self, code: str) -> None:
        self._server.set_timeout(None)
        account = await self._in_worker(self.login.connect, code)
        self._notify(f"Connected as {account.user}. The page in your browser asks for the rest.")
        self._server.set_timeout(self._timeout)

    async def _show_form(self, request: Request) -> Response:  # noqa: ARG002
        """The form."""
        account = self.login.account
        if account is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        ticked = self.login.selection.current(account.usable)
        return HTMLResponse(html_pages.selection_page(account, ticked))

    async def _receive_form(self, request: Request) -> Response:
        """The form as it was sent."""
        account = self.login.account
        if account is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        form = parse_qs((await request.body()).decode("ascii", "replace"))
        sent = form.get("business", [])
        chosen = [each.business_id for each in account.usable if str(each.business_id) in sent]
        if account.usable and not chosen:
            problem = "Tick at least one business."
            content = html_pages.selection_page(account, chosen, problem=problem)
            return HTMLResponse(content, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            steps = await self._in_worker(self.login.select_businesses, chosen)
        except Exception as error:  # noqa: BLE001 - `run` raises it
            return self._end(error)
        self.steps = steps
        content = html_pages.finished_page([*steps, *self.login.next_steps()])
        return HTMLResponse(content, background=BackgroundTask(self._server.stop))

    async def _in_worker(self, step: Callable[[T], R], argument: T) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, step, argument)

    def _end(self, error: Exception) -> Response:
        self._error = error
        response = _failure(error, final=True)
        response.background = BackgroundTask(self._server.stop)
        return response


def _failure(error: Exception, *, final: bool) -> Response:
    sentence = str(error) if isinstance(error, TapError) else "something unexpected happened"
    return HTMLResponse(html_pages.failure_page(sentence, final=final), HTTPStatus.BAD_REQUEST)
