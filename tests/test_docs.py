"""Pages of the documentation have all that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from tap_freshbooks.cli import COMMANDS
from tap_freshbooks.config.schema import settings_schema
from tap_freshbooks.custom_streams.setting import CUSTOM_STREAMS
from tap_freshbooks.streams.resources import STREAMS
from tools import docs_streams, docs_unified

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def first_cells(page: Path, heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = page.read_text(encoding="utf-8").partition(f"{heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]*)", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]*)`", cell)}


def test_the_page_of_streams_is_current() -> None:
    current = (DOCS / "streams.md").read_text(encoding="utf-8")
    assert current == docs_streams.page(), "run `make docs`"


def test_the_page_of_the_unified_model_is_current() -> None:
    current = (DOCS / "unified.md").read_text(encoding="utf-8")
    assert current == docs_unified.page(current), "run `make docs`"
    # An empty part would be current, too.
    assert current.count("\n## unified_") == 17


def test_the_readme_names_the_streams_that_are_selected_by_default_and_counts_all() -> None:
    selected = [stream.name for stream in STREAMS if stream.selected_by_default]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text.partition("\n## Streams\n")[2].partition("\n## ")[0]))
    assert set(selected) - named == set(), "name them in the table of streams in README.md"
    counts = f"{len(STREAMS)} streams, of which {len(selected)} are selected by default"
    assert counts in text, "correct the numbers in README.md"


def test_the_table_of_settings_has_each() -> None:
    settings = set(settings_schema(CUSTOM_STREAMS)["properties"])
    assert first_cells(ROOT / "README.md", "## Settings") == settings, (
        "correct the table in README.md"
    )


def test_the_table_of_commands_has_each() -> None:
    cells = first_cells(ROOT / "README.md", "## Commands")
    named = {cell.removeprefix("tap-freshbooks ").split()[0] for cell in cells}
    assert {name for name in named if not name.startswith("-")} == set(COMMANDS), (
        "correct the table in README.md"
    )


def test_the_table_of_keywords_of_custom_streams_has_each() -> None:
    [setting] = CUSTOM_STREAMS.to_dict().values()
    keywords = set(setting["items"]["properties"])
    page = DOCS / "custom-streams.md"
    assert first_cells(page, "# Your own streams") == keywords, "correct docs/custom-streams.md"
