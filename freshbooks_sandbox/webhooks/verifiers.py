"""The secrets of callbacks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business

LENGTH = 34
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def verifier_of(key: int, business: Business, serial: int = 0) -> str:
    """The secret of one callback: letters and digits, about 34 of them.

    See docs/freshbooks-api/webhooks.md §3.

    `serial` counts how often it was renewed.
    """
    again = f"/{serial}" if serial else ""
    digest = hashlib.sha512(f"{business.uuid}/callback/{key}{again}".encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:LENGTH])
