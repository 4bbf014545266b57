"""The signature of a message, and the wrong ones that receivers must refuse.

See docs/freshbooks-api/webhooks.md §5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "X-FreshBooks-Hmac-SHA256"
Forgery = Literal["secret", "raw", "compact", "missing"]


def sign(verifier: str, fields: Mapping[str, str]) -> str:
    """Over the fields as JSON with blanks, all of them strings, in the order of the body."""
    return _hmac(verifier, json.dumps(dict(fields)))


def forge(how: Forgery, verifier: str, fields: Mapping[str, str]) -> str | None:
    """A signature with another secret, over the raw body or over JSON without blanks; or none."""
    if how == "missing":
        return None
    if how == "raw":
        return _hmac(verifier, urlencode(fields))
    if how == "compact":
        return _hmac(verifier, json.dumps(dict(fields), separators=(",", ":")))
    return sign(verifier[::-1] + "x", fields)


def _hmac(secret: str, message: str) -> str:
    digest = hmac.digest(secret.encode(), message.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()
