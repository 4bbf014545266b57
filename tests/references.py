"""Finds the files and sections that a text names, and says which of them are not there.

A file is named by its path from the root of the repository, or from beside the file that names it;
inside of docs/freshbooks-api, from that folder too. A whole string literal that is the name of a
file is data, not a reference. docs/freshbooks-api/auth.md §9.4 is the item `4. …` of the section
headed `## 9. …`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTS = "docs/freshbooks-api"
KINDS = frozenset({".md", ".py", ".toml", ".yaml", ".yml"})

# What a user would write, in examples; and a module that is called like a file.
NO_FILES = frozenset({"house.yaml", "mappings/house.yaml", "ruamel.yaml"})

# A line ends inside of a reference: in text, and in comments.
FOLD = re.compile(r"\s*\n[ \t]*(?:#+(?= ))?[ \t]*")
LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\s]+)\)")
NAME = re.compile(r"(?<![\w./-])([\w./-]*\w\.(?:md|ya?ml))(?!\w)((?:,? ?§\d+(?:\.\d+)*)*)")
LITERAL = re.compile(r"([\"'])[\w./-]+\.(?:md|ya?ml)\1")
SECTION = re.compile(r"§(\d+)(?:\.(\d+))?")
UNMARKED = re.compile(r"\.(?:md|ya?ml)`? (?:sections? )?\d+(?![\w-])|\b[Ss]ections? \d")
SOURCES_PAGE = re.compile(r"(?ms)^(?:Sources: .*?$|## \d+\. Sources$.*\Z)")
SOURCES_DATA = re.compile(r"(?m)^sources:.*\n(?:[ -].*\n)*")


class Broken(NamedTuple):
    """A reference that leads nowhere."""

    file: str
    reference: str
    reason: str


class Repository:
    """A tree of files, in which references are followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = cache(self._read_parts)

    def broken(self, file: str) -> list[Broken]:
        """What one file names that is not there."""
        text = (self._root / file).read_text(encoding="utf-8")
        if in_facts := file.startswith(f"{FACTS}/"):
            # Where a fact is from: repositories of others.
            text = SOURCES_PAGE.sub("", text) if file.endswith(".md") else text
            text = SOURCES_DATA.sub("", text) if file.endswith(".yaml") else text
        found = []
        if file.endswith(".md"):
            found += list(self._broken_links(file, text))
            text = LINK.sub("", text)
        if file.endswith(".py"):
            text = LITERAL.sub("", text)
        text = FOLD.sub(" ", text)
        found += list(self._broken_names(file, text))
        if in_facts:
            found += [Broken(file, each, "a section without §") for each in UNMARKED.findall(text)]
        return found

    def _broken_links(self, file: str, text: str) -> Iterator[Broken]:
        for label, target in LINK.findall(text):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            place = ((self._root / file).parent / path if path else self._root / file).resolve()
            if not place.exists():
                yield Broken(file, target, "no such file")
            elif anchor and anchor not in self._parts(place).anchors:
                yield Broken(file, target, "no such heading")
            else:
                yield from self._broken_sections(file, place, label)

    def _broken_names(self, file: str, text: str) -> Iterator[Broken]:
        for match in NAME.finditer(text):
            name, sections = match.groups()
            if name in NO_FILES:
                continue
            place = self._place(file, name)
            if place is None:
                yield Broken(file, match[0], "no such file")
            else:
                yield from self._broken_sections(file, place, sections)
        for each in SECTION.finditer(NAME.sub("", text)):
            yield Broken(file, each[0], "a section of no file")

    def _place(self, file: str, name: str) -> Path | None:
        in_facts = file.startswith(f"{FACTS}/")
        bases = [self._root, self._root / FACTS if in_facts else (self._root / file).parent]
        return next((base / name for base in bases if (base / name).is_file()), None)

    def _broken_sections(self, file: str, place: Path, text: str) -> Iterator[Broken]:
        for section, item in SECTION.findall(text):
            items = self._parts(place).sections.get(section)
            if items is None or (item and item not in items):
                number = f"{section}.{item}" if item else section
                yield Broken(file, f"{place.name} §{number}", "no such section")

    def _read_parts(self, place: Path) -> _Parts:
        text = place.read_text(encoding="utf-8") if place.suffix == ".md" else ""
        headings = re.findall(r"(?m)^#+ (.+)$", text)
        anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        numbered = re.split(r"(?m)^## (?:(\d+)\. )?.*$", text)
        sections = {
            number: set(re.findall(r"(?m)^(\d+)\. ", body))
            for number, body in zip(numbered[1::2], numbered[2::2], strict=True)
            if number
        }
        return _Parts(anchors, sections)


class _Parts(NamedTuple):
    anchors: set[str]
    sections: dict[str, set[str]]
