"""Markup that is escaped by construction: every text is, unless a `tag` has made it."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(element: str, /, *content: str, **attributes: str | bool) -> Html:
    """An element.

    Args:
        element: Its name.
        content: Texts, which are escaped, and elements.
        attributes: `class_` stands for `class`; True writes the bare name, False nothing.
    """
    written = "".join(
        f" {key.rstrip('_')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    )
    opening = f"<{element}{written}>"
    if element in {"input", "meta"}:  # elements without content
        return Html(opening)
    return Html(f"{opening}{join(*content)}</{element}>")


def join(*content: str) -> Html:
    """Texts and elements, one after the other."""
    parts = (part if isinstance(part, Html) else escape(part) for part in content)
    return Html("".join(parts))
