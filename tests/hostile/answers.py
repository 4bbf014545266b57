"""Whole answers that make no sense, and what is said of each."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, NamedTuple

HTML = "<html><body>Access denied by policy</body></html>"
DEPTH = 100_000


class Kind(NamedTuple):
    """A kind of answer.

    Attributes:
        fault: The sandbox's fault `answer` (docs/sandbox.md).
        says: A part of the sentence about it.
        settings: Of the tap, where the kind needs others.
    """

    fault: dict[str, Any]
    says: str
    settings: dict[str, Any] = {}  # noqa: RUF012 - a tuple's default, which nobody changes


def text(content: str, says: str, **more: Any) -> Kind:
    return Kind({"content": content, **more}, says)


def raw(content: bytes, says: str, **more: Any) -> Kind:
    return Kind({"base64": b64encode(content).decode(), **more}, says)


def page(status: int, says: str) -> Kind:
    return text(HTML, says, status=status, content_type="text/html")


def error(status: int, body: Any, says: str) -> Kind:
    return text(json.dumps(body), says, status=status)


NO_LIST = "the answer has no list at"
REDIRECT = "with a redirect, as the login page of a network, a proxy or a firewall answers"
NO_JSON = "something that is not complete JSON"
DEEP = "nested too deeply"

KINDS = {
    "HTML, 200": page(200, "200 OK with an HTML page of a proxy or firewall"),
    "HTML, 401": page(401, "401 Unauthorized with an HTML page"),
    "HTML, 403": page(403, "403 Forbidden with an HTML page"),
    "HTML, 404": page(404, "404 Not Found with an HTML page"),
    "HTML, 418": page(418, "418 I'm a Teapot with an HTML page"),
    "HTML, 502": page(502, "502 Bad Gateway"),
    "empty": text("", NO_JSON),
    "empty, 404": text("", "404 Not Found with an empty body", status=404),
    "blanks": text(" \n\t ", NO_JSON),
    "204": text("", NO_JSON, status=204),
    "206, half of it": Kind({"status": 206, "truncated": 40}, NO_JSON),
    "304": text("", f"304 Not Modified {REDIRECT}", status=304),
    "302, elsewhere": text(HTML, REDIRECT, status=302, headers={"Location": "/auth/login"}),
    "307, another host": text(
        "", REDIRECT, status=307, headers={"Location": "http://127.0.0.1:9/steal"}
    ),
    "308, to itself": text("{}", REDIRECT, status=308, headers={"Location": "?"}),
    "null": text("null", NO_JSON),
    "true": text("true", NO_LIST),
    "a number": text("17", NO_LIST),
    "a text": text('"ok"', NO_LIST),
    "[]": text("[]", NO_LIST),
    "{}": text("{}", NO_LIST),
    "a list of nulls": text("[null]", NO_LIST),
    "half of it": Kind({"truncated": 30}, NO_JSON),
    "a comma too many": text('{"response": {},}', NO_JSON),
    "something behind it": text('{"response": {"result": {}}} <!-- cached -->', NO_JSON),
    "two answers": Kind({"repeat": 2}, NO_JSON),
    "UTF-16": raw('{"response": {}}'.encode("utf-16"), NO_JSON),
    "bytes that are no text": raw(bytes(range(128, 256)), NO_JSON),
    "NULs": raw(b"\0" * 1000, NO_JSON),
    "lists in lists": text("[" * DEPTH + "]" * DEPTH, DEEP),
    "objects in objects": text('{"a":' * DEPTH + "1" + "}" * DEPTH, DEEP),
    "lists without an end": text("[" * DEPTH, DEEP),
    "errors in a list of texts": error(400, {"errors": ["a", "b"]}, "400 Bad Request"),
    "an errno that is an object": error(
        400,
        {"response": {"errors": [{"errno": {"a": 1}, "message": ["x"]}]}},
        "400 Bad Request",
    ),
    "errors that are null": error(422, {"response": {"errors": None}}, "422"),
    "an error in a success": error(
        200, {"response": {"errors": [{"errno": 1001, "message": "Odd"}]}}, "Odd (errno 1001)"
    ),
    "an error that steers terminals": error(
        400,
        {"error": "x", "message": "\x1b]0;owned\x07\x1b[2J\u202egro.live\u2069\r\nFailed: forged"},
        "400 Bad Request: ",
    ),
    "gzip that is none": text("{}", "cannot be unpacked", headers={"Content-Encoding": "gzip"}),
    "packed unasked": text("{}", "not asked for", headers={"Content-Encoding": "br"}),
    "a bomb": text(" ", "larger than 1 MB", repeat=5_000_000, gzip=True),
    "too long": text(" ", "larger than 1 MB", repeat=1_100_000),
    "a drip": Kind(
        {"content": " ", "endless": True, "pause": 0.02},
        "no answer in time",
        {"request_timeout": 0.1, "max_attempts": 1},
    ),
}
