"""Decodes JSON of FreshBooks: exact numbers, and texts that every database takes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

NUL = "\0"
"""No text of PostgreSQL may have it: one in a record would make every load fail from then on."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def decode(content: bytes, nul_paths: set[str]) -> Any:
    """Decode a body, without the NULs in its texts; None if it is not complete JSON.

    Args:
        content: What was received.
        nul_paths: Here the paths of texts are added that had some.
    """
    may_have_nul = b"\\u0000" in content  # else there is none, as JSON has to escape it
    try:
        try:
            body = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = _without_surrogates(json.loads(content, parse_float=Decimal))
            may_have_nul = True
        return _without_nul(body, "", nul_paths) if may_have_nul else body
    except (ValueError, RecursionError):
        return None


def _without_nul(value: Any, path: str, nul_paths: set[str]) -> Any:
    if isinstance(value, str):
        if NUL not in value:
            return value
        nul_paths.add(path)
        return value.replace(NUL, "")
    if isinstance(value, list):
        return [_without_nul(each, path, nul_paths) for each in value]
    if isinstance(value, dict):
        result: dict[str, Any] = {}
        for key, each in value.items():
            name = key.replace(NUL, "")
            inner = f"{path}.{name}" if path else name
            if name != key:
                nul_paths.add(inner)
                if name in value:
                    continue  # the field that is really called so
            result[name] = _without_nul(each, inner, nul_paths)
        return result
    return value


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates: half an emoji in a note is no reason to lose a page of rows."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_surrogates(each) for key, each in value.items()}
    return value
