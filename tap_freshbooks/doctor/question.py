"""Question: a fact that the tap goes by, or an open question about FreshBooks."""

from __future__ import annotations

from dataclasses import dataclass

NEEDS_A_WRITE = "it takes a write, and doctor only reads"
NEEDS_A_MESSAGE = "it takes a webhook message, and doctor only reads"
NEEDS_A_CONSENT = "it takes a consent in the browser"
NEEDS_TWO_APPS = "it takes two applications of one user"

HONOURED = ("honoured", "ignored")
DOCUMENTED = ("documented", "more")


@dataclass(frozen=True, slots=True)
class Question:
    """A fact that the tap goes by, and what could be so instead.

    Attributes:
        name: Of the question, and of the sandbox's behaviour.
        text: The fact, as the tap goes by it.
        values: The possible answers; the first is the fact.
        places: Where it is written.
        of_each_stream: Whether each list has an answer of its own; the sandbox's behaviour then
            names the streams that answer otherwise.
        untestable: Why reading cannot tell; empty if it can.
    """

    name: str
    text: str
    values: tuple[str, ...]
    places: tuple[str, ...]
    of_each_stream: bool = False
    untestable: str = ""
