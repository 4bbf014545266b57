"""Withholds what looks like a credential from values whose keys nobody has declared.

FreshBooks puts keys and tokens into its answers (`docs/freshbooks-api/README.md` lists those that
are known); what it adds tomorrow must not reach a database by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_freshbooks.schema.conversion import ConversionListener

CREDENTIAL = re.compile(
    r"token|secret|passw|passcode|passphrase|pwd|credential|verifier|bearer|cookie|jwt|hmac|csrf"
    r"|^(authorization|auth|pin)$|(^|[\W_])(oauth|otp|totp|cvv|cvc)([\W_]|$)"
    r"|(session|security|recovery|mfa)[\W_]*(id|codes?)$"
    r"|(api|auth|access|client|private|publishable|encryption|license|signing|session)[\W_]*keys?$",
    re.IGNORECASE,
)
"""Finds the name of a credential."""

BY_ITSELF = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.|[sr]k_(live|test)_|whsec_|Bearer ")
"""Begins a value that is a credential under any name: a JWT, a secret key of Stripe, a header."""

CONTAINERS = {dict, list}

MOST_DEPTH = 100
"""Levels of a value without fixed fields; those who load records have limits, too."""


@lru_cache(maxsize=4096)
def _names_credential(name: str) -> bool:
    return CREDENTIAL.search(name) is not None


def is_credential(name: str, value: Any) -> bool:
    """Whether a field has the name of a credential, and a value: a flag or null is none.

    A value may show by itself that it is one.
    """
    if type(value) is str and BY_ITSELF.match(value):
        return True
    return _names_credential(name) and value is not None and not isinstance(value, bool)


def without_credentials(value: Any, path: str, listener: ConversionListener) -> Any:
    """A value without what looks like a credential in it, however deep.

    Args:
        value: Is not changed; is returned itself if there is nothing to withhold.
        path: Of the field that holds it, for the listener.
        listener: Is notified of what is withheld.

    Raises:
        ValueError: If it is nested too deeply.
    """
    return value if _is_clean(value, MOST_DEPTH) else _cleaned(value, path, listener, MOST_DEPTH)


def _is_clean(value: Any, levels: int) -> bool:
    if not levels:
        raise ValueError
    kind = type(value)
    if kind is dict:
        for name, part in value.items():
            if is_credential(name, part):
                return False
            if type(part) in CONTAINERS and not _is_clean(part, levels - 1):
                return False
    elif kind is list:
        for part in value:
            if type(part) in CONTAINERS and not _is_clean(part, levels - 1):
                return False
    return True


def _cleaned(value: Any, path: str, listener: ConversionListener, levels: int) -> Any:
    if type(value) not in CONTAINERS:
        return value
    if not levels:
        raise ValueError
    if isinstance(value, list):
        return [_cleaned(part, path, listener, levels - 1) for part in value]
    kept = {}
    for name, part in value.items():
        if is_credential(name, part):
            listener.on_withheld(f"{path}.{name}")
        else:
            kept[name] = _cleaned(part, path, listener, levels - 1)
    return kept
