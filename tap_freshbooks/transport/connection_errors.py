"""Errors below HTTP: did a request reach the server, and how is that said to the user?"""

from __future__ import annotations

import requests
import urllib3


def never_connected(error: Exception) -> bool:
    """Whether the request certainly did not reach the server."""
    return isinstance(error, requests.ConnectTimeout) or any(
        sign in repr(error)
        for sign in ("NewConnectionError", "NameResolutionError", "CERTIFICATE_VERIFY_FAILED")
    )


def describe(error: Exception) -> str:
    """A clause for the user; the texts of the libraries show objects and addresses."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if never_connected(error) and not isinstance(error, requests.exceptions.SSLError):
        return "the server cannot be reached"
    return f"the connection broke ({type(error).__name__})"
