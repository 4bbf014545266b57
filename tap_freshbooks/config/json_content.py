"""JSON that a user gives: what is in a file of it, and whether all of it can be passed on."""

from __future__ import annotations

import json
from typing import Any

import msgspec

MAX_DEPTH = 100
"""Levels of objects and lists; each takes some of the stack wherever they are copied."""


def decode_text(content: bytes) -> Any:
    """Decode JSON in any encoding of Unicode, as editors and shells write it; None if it is empty.

    Raises:
        ValueError: If it is no JSON; the text says more where more is known.
    """
    text = content.decode(json.detect_encoding(content)).strip()
    try:
        return msgspec.json.decode(text) if text else None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        first, _, rest = text.partition("\n")
        if rest and _is_json(first):
            raise ValueError("it has several lines: keep the last, with `tail -n 1`") from None
        raise ValueError("") from None  # the words of msgspec could quote a secret


def _is_json(line: str) -> bool:
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def flaw(value: Any) -> str:
    """Why a value cannot be written as JSON again; empty if it can."""
    level, parts = 0, [value]
    while parts:
        level += 1
        if level > MAX_DEPTH:
            return "it is nested too deeply"
        groups = [list(each.values()) if isinstance(each, dict) else each for each in parts]
        parts = [each for group in groups if isinstance(group, list) for each in group]
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return "it has half a character (a lone surrogate)"
    except (OverflowError, ValueError):
        return "it has a number that is too large"
    return ""
