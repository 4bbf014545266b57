"""Texts of FreshBooks in messages and log lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tap_freshbooks.errors import FreshBooksError, SettingsError
from tap_freshbooks.printable import printable, sanitize_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLACED = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Harbour & Söhne ☕ 港", "Harbour & Söhne ☕ 港"),
        ("a\nb\r\nc\td\ve\x85f\u2028g\u2029h", "a b  c d e f g h"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\x1b[2J\x1b]0;title\x07", f"{REPLACED}[2J{REPLACED}]0;title{REPLACED}"),
        ("\u009b31m\x00\x7f\x80", f"{REPLACED}31m{REPLACED * 3}"),
        ("\u202eevil\u202c\u2066\u2069\u200e\u200f\u061c", "evil"),
        ("a\u200bb\ufeff\u00ad", "ab"),
        ("\ud800", REPLACED),
        ("\U000f0000\U0001fbff", "\U000f0000\U0001fbff"),
        ("", ""),
    ],
)
def test_a_text_is_one_line_of_characters(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_the_sentence_of_an_error_is_one_line_however_it_was_made() -> None:
    error = FreshBooksError("a\x1b[1m\nb")
    assert str(error) == f"a{REPLACED}[1m b"
    assert str(error.restated("c\x1b\nd")) == f"c{REPLACED} d"
    assert str(SettingsError("x\u202ey")) == "xy"


@pytest.fixture
def usual_records() -> Iterator[None]:
    make = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(make)


@pytest.mark.usefixtures("usual_records")
def test_arguments_of_our_log_lines_are_printable(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        sanitize_logs()
    evil = "x\x1b[1m\ny"
    logging.getLogger("tap-freshbooks.any").warning("%s, %d, %.1f, %s", evil, 7, 1.5, [evil])
    logging.getLogger("somebody").warning("%s", evil)
    ours, theirs = (record.getMessage() for record in caplog.records)
    assert ours == f"x{REPLACED}[1m y, 7, 1.5, {[evil]}"
    assert theirs == evil
