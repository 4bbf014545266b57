from __future__ import annotations

from pathlib import Path

from tap_freshbooks.streams_page import page


def test_the_page_of_streams_is_current() -> None:
    written = Path(__file__).parent.parent / "docs" / "streams.md"
    assert written.read_text(encoding="utf-8") == page(), "run `make docs`"
