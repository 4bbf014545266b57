"""Generated pages of the documentation are current."""

from __future__ import annotations

from pathlib import Path

from tools import docs_streams, docs_unified

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_streams_is_current() -> None:
    current = (DOCS / "streams.md").read_text(encoding="utf-8")
    assert current == docs_streams.page(), "run `make docs`"


def test_the_page_of_the_unified_model_is_current() -> None:
    current = (DOCS / "unified.md").read_text(encoding="utf-8")
    assert current == docs_unified.page(current), "run `make docs`"
    # An empty part would be current, too.
    assert current.count("\n## unified_") == 17
