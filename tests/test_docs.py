from __future__ import annotations

from pathlib import Path

from tools import docs_unified as unified_page
from tools.docs_streams import page

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_streams_is_current() -> None:
    written = DOCS / "streams.md"
    assert written.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_page_of_the_unified_model_is_current() -> None:
    written = (DOCS / "unified.md").read_text(encoding="utf-8")
    assert written == unified_page.page(written), "run `make docs`"
    # A page without the part would be no page.
    assert written.count("\n## unified_") == 17
