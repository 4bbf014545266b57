"""The signature of a delivery (`docs/freshbooks-api/webhooks.md §5`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE_HEADER = "X-FreshBooks-Hmac-SHA256"


def verify_signature(signature: str, verifier: str, fields: Mapping[str, str]) -> bool:
    """Check that a delivery was signed with a verifier; False if it was not.

    What is signed is not the body but the JSON text of its fields: in the order of the body, all
    values strings, with Python's separators and escapes, as FreshBooks makes it of a dictionary.

    Args:
        signature: The header.
        verifier: The secret that FreshBooks sent when the callback was verified.
        fields: Of the form.
    """
    message = json.dumps(dict(fields)).encode()
    digest = hmac.digest(verifier.encode(), message, hashlib.sha256)
    return hmac.compare_digest(base64.b64encode(digest), signature.encode(errors="replace"))
