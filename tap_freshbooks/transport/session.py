"""HttpSession: kept connections to one server, over which one request is sent once."""

from __future__ import annotations

import math
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Self

import requests
import urllib3

from tap_freshbooks.transport.bounds import (
    ACCEPTED_ENCODING,
    ANSWER_TIMEOUTS,
    BoundedAdapter,
    read_body,
)
from tap_freshbooks.transport.connection_errors import lost_answer, refused_on_the_way
from tap_freshbooks.transport.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType


CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must stand, at most: a longer wait for an answer does not count."""


class HttpSession:
    """Sends requests to one server; any number of threads may do so at once.

    Args:
        url: Of the server, without a slash at its end.
        user_agent: Sent with each request.
        timeout: Seconds to wait for a response, and for each next byte of it.
        max_size: Bytes that a response may have.
        timeouts: Time-outs that a whole response may take.
        patience: Gives the seconds for which a response is still wanted.
        max_connections: Connections that are kept.

    Raises:
        SettingsError: If the environment names a proxy that cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        user_agent: str,
        timeout: float,
        max_size: float,
        timeouts: float = ANSWER_TIMEOUTS,
        patience: Callable[[], float] = lambda: math.inf,
        max_connections: int = 1,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.max_size = max_size
        self.network = Network(url)
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED_ENCODING,
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = BoundedAdapter(
            self.network, timeouts, patience=patience, max_connections=max_connections
        )
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # The network knows already what the environment says; a `.netrc` must not sign requests.
        self._session.trust_env = False
        if self.network.proxy:
            self._session.proxies = {"all": self.network.proxy.url}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        reads_body: bool = True,
    ) -> tuple[requests.Response, bytes]:
        """Send a request, and read the response to its end.

        Args:
            method: Of HTTP.
            path: What follows the URL of the server.
            token: That signs the request.
            headers: Besides the usual ones.
            query: Parameters of the URL.
            json: A body that is sent as JSON.
            form: A body that is sent as a form.
            reads_body: Whether more than the status and the headers is read.

        Raises:
            TransientError: If there is no response, or not all of it; `sent` tells whether the
                request may have reached the server.
            ConnectionFailedError: If no repetition can help: the request was not read by anybody.
            SettingsError: If the environment names certificates that cannot be used.
            AnswerTooLargeError: If there is too much of it.
        """
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with self._session.request(
                method,
                self.url + path,
                params=query,
                json=json,
                data=form,
                headers={**(headers or {}), **signed},
                # requests would let a user in the URL take the place of what FreshBooks wants.
                auth=_unchanged if token or form else None,
                timeout=(min(CONNECT_TIMEOUT, self.timeout), self.timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = read_body(response.raw, self.max_size) if reads_body else b""
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise lost_answer(error, self.network) from None
        if refusal := refused_on_the_way(response.status_code, content, self.network):
            raise refusal
        return response, content

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
