"""Failures of the network below HTTP."""

from __future__ import annotations

import requests


def never_connected(error: Exception) -> bool:
    """Whether the request certainly did not reach the server."""
    return isinstance(error, requests.ConnectTimeout) or any(
        sign in repr(error)
        for sign in ("NewConnectionError", "NameResolutionError", "CERTIFICATE_VERIFY_FAILED")
    )
