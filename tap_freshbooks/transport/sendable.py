"""What of a user's words can be sent as the path and the headers of a request."""

from __future__ import annotations

import re

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of HTTP."""

OWN_HEADERS = {"authorization", "connection", "content-length", "host", "transfer-encoding"}
"""Headers that the tap has to set itself."""


def flaw_of_path(path: str, parameters: str) -> str:
    """What is wrong with a path; empty if nothing is.

    Args:
        path: From its first slash, perhaps with identifiers in braces.
        parameters: Where parameters of the query belong.
    """
    if not path.isascii() or not path.isprintable() or set(path) & set(" ?#\\"):
        return f"has characters that no path has; parameters belong in {parameters}"
    if {"", ".", ".."} & set(path.removeprefix("/").removesuffix("/").split("/")) and path != "/":
        return "has empty parts or dots between two slashes"
    return ""


def is_header_name(name: str) -> bool:
    """Whether a user may set a header of this name."""
    return bool(HEADER_NAME.fullmatch(name)) and name.lower() not in OWN_HEADERS
