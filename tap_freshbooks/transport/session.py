"""HttpSession: kept connections to the API, over which one request is sent once."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
import urllib3

from tap_freshbooks.errors import TransientError
from tap_freshbooks.transport.bounds import ACCEPTED_ENCODING, BoundedAdapter, read_body
from tap_freshbooks.transport.connection_errors import describe, never_connected

if TYPE_CHECKING:
    from tap_freshbooks.transport.request import Request


class HttpSession:
    """Sends requests; any number of threads may do so at once.

    Args:
        api_url: Base URL, without a slash at its end.
        user_agent: Sent with each request.
        timeout: Seconds to wait for a response, and for each next byte of it.
        max_size: Bytes that a response may have.
        max_connections: Connections that are kept.
    """

    def __init__(
        self,
        api_url: str,
        *,
        user_agent: str,
        timeout: float,
        max_size: float,
        max_connections: int,
    ) -> None:
        self.api_url = api_url
        self.timeout = timeout
        self.max_size = max_size
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED_ENCODING,
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = BoundedAdapter(max_connections=max_connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # Proxies and certificates of the environment, looked up once and not for each request.
        self._environment = self._session.merge_environment_settings(
            api_url, {}, stream=True, verify=None, cert=None
        )
        self._session.trust_env = False

    def exchange(self, request: Request, token: str) -> tuple[requests.Response, bytes]:
        """Send a request, and read the response to its end.

        Raises:
            TransientError: If there is none, or not all of it.
            AnswerTooLargeError: If there is too much of it.
        """
        try:
            with self._session.request(
                request.method,
                self.api_url + request.path,
                params=request.query,
                json=request.body,
                headers=request.headers,
                timeout=self.timeout,
                allow_redirects=False,
                auth=_Bearer(token),
                **self._environment,
            ) as response:
                return response, read_body(response.raw, self.max_size)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TransientError(describe(error), sent=not never_connected(error)) from None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class _Bearer(requests.auth.AuthBase):
    """Signs a request. As `auth`, so that a `.netrc` cannot put its own header instead."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request
