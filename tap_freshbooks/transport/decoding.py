"""Decodes JSON of FreshBooks: bounded numbers, exact ones, and texts that every database takes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tap_freshbooks.numerals import bounded_decimal
from tap_freshbooks.transport.lazy_rows import decode_around

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

NUL = "\0"
"""No text of PostgreSQL may have it: one in a record would make every load fail from then on."""


BYTE_ORDER_MARK = "\ufeff"

MAX_DEPTH = 100
"""Levels of objects, or of lists, in an answer; those of FreshBooks have about ten of both."""

NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(slots=True)
class Oddities:
    """What was odd about a body.

    Attributes:
        nul_paths: The paths of texts that had a NUL, which is left out.
        has_other_bytes: Whether some bytes were no UTF-8; U+FFFD is in their places.
        is_too_deep: Whether it is nested too deeply to be decoded.
    """

    nul_paths: set[str] = field(default_factory=set)
    has_other_bytes: bool = False
    is_too_deep: bool = False


ODD_ESCAPES = (b"u0000", b"ud", b"uD")
"""Begin escapes of NUL, and of half a character: lone ones are no UTF-8."""


def decode(
    content: bytes, oddities: Oddities | None = None, lazy_list: tuple[str, ...] = ()
) -> Any:
    """Decode a body; None if it is not complete JSON.

    Texts have neither NULs nor half characters. A number that nobody can calculate with, such as
    `1e1000000` or `NaN`, stays the text that it was written as: it then fits no field of numbers.

    Args:
        content: What was received.
        oddities: Here is noted what was changed.
        lazy_list: Keys to a list, from outside in. If there is nothing odd anywhere, its rows are
            `LazyRows`.
    """
    oddities = Oddities() if oddities is None else oddities
    if lazy_list and (body := _decode_lazily(content, lazy_list)) is not None:
        return body
    # Else there is none, as JSON has to escape it. Most answers have no escapes at all.
    may_have_nul = b"\\" in content and b"\\u0000" in content
    try:
        try:
            body = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = _decode_leniently(content, oddities)
            may_have_nul = True
        oddities.is_too_deep = _is_too_deep(content, body)
        if may_have_nul and not oddities.is_too_deep:
            body = _without_nul(body, "", oddities.nul_paths)
    except ValueError:
        return None
    except RecursionError:
        oddities.is_too_deep = True
    return None if oddities.is_too_deep else body


def _number(text: str) -> Decimal | str:
    """An exact number; its text if it has too many digits."""
    number = bounded_decimal(text)
    return text if number is None else number


_decode = msgspec.json.Decoder(float_hook=_number).decode


def _integer(text: str) -> int | str:
    number = bounded_decimal(text)
    return text if number is None else int(number)


def _decode_leniently(content: bytes, oddities: Oddities) -> Any:
    """Decode what is not strictly JSON: other bytes than UTF-8, bare control characters, NaN."""
    try:
        text = content.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        text = content.decode(errors="replace")
        oddities.has_other_bytes = True
    body = json.loads(
        text.removeprefix(BYTE_ORDER_MARK),
        parse_float=_number,
        parse_int=_integer,
        parse_constant=str,
        strict=False,
    )
    return _without_surrogates(body)


def _decode_lazily(content: bytes, lazy_list: tuple[str, ...]) -> Any:
    """Decode all but the rows of a list; None if something is odd, perhaps in a row."""
    if _has_odd_escapes(content):
        return None
    try:
        if not content.isascii():
            content.decode()
    except UnicodeDecodeError:
        return None
    return decode_around(content, lazy_list, _decode_part) if _is_flat(content) else None


def _decode_part(text: bytes) -> Any:
    """Decode a part of a sound body; it may still have numbers that are none for msgspec."""
    try:
        return _decode(text)
    except msgspec.DecodeError:
        return decode(bytes(text))


def _has_odd_escapes(content: bytes) -> bool:
    """Whether a text may have a NUL, or half a character: they can only be written as escapes."""
    # Answers have few escapes; one byte is searched for many times as fast as several.
    place = content.find(b"\\")
    while place >= 0:
        if content.startswith(ODD_ESCAPES, place + 1):
            return True
        place = content.find(b"\\", place + 2)
    return False


def _is_flat(content: bytes) -> bool:
    """Whether the brackets of a body show that it has few levels."""
    brackets = content.translate(None, NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        size = len(brackets)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return True
        if len(brackets) == size:
            break
    return False


def _is_too_deep(content: bytes, body: Any) -> bool:
    """Whether there are more levels than a loader, or our own encoder, may be able to go down."""
    if _is_flat(content):
        return False
    level = [body]  # some brackets are in texts, or there are really so many
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _parts(each)]
        if not level:
            return False
    return True


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


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
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return value
