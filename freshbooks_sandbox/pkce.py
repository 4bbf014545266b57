"""PKCE (RFC 7636): the exchange of a code proves that it comes from the client that asked for it.

FreshBooks advertises the method S256. Whether it refuses a wrong verifier is unknown
(docs/freshbooks-api/auth.md §1); the behaviour `pkce` offers both answers.
"""

from __future__ import annotations

import base64
import hashlib

METHOD = "S256"


def proves(verifier: str | None, challenge: str | None) -> bool:
    """Whether the verifier belongs to the challenge; without a challenge there must be none."""
    return (challenge_of(verifier) if verifier else None) == challenge


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
