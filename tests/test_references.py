"""Whatever file of the repository is named somewhere is there, and so is the section."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.references import FACTS, KINDS, Repository

PROJECT = Path(__file__).parent.parent
PAGE = "# Money\n\n## 1. Amounts\n\nText.\n\n## 2. Zones\n\n1. Naive.\n2. UTC.\n"


def tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return [
        name
        for name in listed.stdout.splitlines()
        if (Path(name).suffix in KINDS or Path(name).name == "Makefile")
        and (PROJECT / name).is_file()
    ]


def test_every_reference_leads_somewhere() -> None:
    repository = Repository(PROJECT)
    files = [name for name in tracked() if name != f"tests/{Path(__file__).name}"]
    assert [each for name in files for each in repository.broken(name)] == []
    # It has looked at what there is: code, tests, pages and data.
    assert len(files) > 400


def reasons(folder: Path, file: str, text: str) -> list[tuple[str, str]]:
    facts = folder / FACTS
    (facts / "resources").mkdir(parents=True)
    (facts / "money.md").write_text(PAGE, encoding="utf-8")
    (facts / "resources" / "taxes.yaml").write_text("stream: taxes\n", encoding="utf-8")
    (folder / "docs" / "user.md").write_text("# For users\n\n## How to\n", encoding="utf-8")
    place = folder / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return [(each.reference, each.reason) for each in Repository(folder).broken(file)]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tap/a.py", "# UTC (`docs/freshbooks-api/money.md §1, §2`)."),
        ("tap/a.py", "    # A long line (docs/freshbooks-api/money.md\n    # §2.2)."),
        ("tap/a.py", '"""Taxes.\n\nSee docs/freshbooks-api/resources/taxes.yaml.\n"""'),
        ("tap/a.py", 'FILE = FOLDER / "other.yaml"'),
        ("tap/a.py", "# house.yaml is a user's."),
        ("docs/b.md", "See [money.md §2](freshbooks-api/money.md), [how](user.md#how-to)."),
        ("docs/b.md", "See [elsewhere](https://example.com/none.md) or docs/user.md."),
        ("Makefile", "\t@echo docs/user.md"),
        (f"{FACTS}/c.md", "money.md §2.1, resources/taxes.yaml\n\nSources: theirs/none.md §9"),
        (f"{FACTS}/resources/d.yaml", "a: money.md §1\nsources:\n- github:theirs:none.md\nb: 1\n"),
    ],
)
def test_a_good_reference_passes(tmp_path: Path, file: str, text: str) -> None:
    assert reasons(tmp_path, file, text) == []


@pytest.mark.parametrize(
    ("file", "text", "reference", "reason"),
    [
        ("tap/a.py", "# `money.md §1`", "money.md §1", "no such file"),
        ("tap/a.py", "# docs/freshbooks-api/mony.md §1", "docs/freshbooks-api/mony.md §1", ""),
        ("tap/a.py", "# docs/freshbooks-api/money.md §1, §3", "money.md §3", "no such section"),
        ("tap/a.py", "# docs/freshbooks-api/money.md §2.3", "money.md §2.3", "no such section"),
        ("tap/a.py", "# docs/user.md §1", "user.md §1", "no such section"),
        ("tap/a.py", '"""See taxes.yaml."""', "taxes.yaml", "no such file"),
        ("tap/a.py", "# resources/taxes.yaml", "resources/taxes.yaml", "no such file"),
        ("tap/a.py", "# As §4 says.", "§4", "a section of no file"),
        ("tap/a.yml", "# docs/none.md", "docs/none.md", "no such file"),
        ("docs/b.md", "[money](freshbooks-api/none.md)", "freshbooks-api/none.md", "no such file"),
        ("docs/b.md", "[money.md §3](freshbooks-api/money.md)", "money.md §3", "no such section"),
        ("docs/b.md", "[how](user.md#why)", "user.md#why", "no such heading"),
        (f"{FACTS}/c.md", "see taxes.yaml", "taxes.yaml", "no such file"),
        (f"{FACTS}/c.md", "see money.md 2.", ".md 2", "a section without §"),
        (f"{FACTS}/c.md", "see money.md section 2.", ".md section 2", "a section without §"),
        (f"{FACTS}/resources/d.yaml", "a: money.md §3\nsources: []\n", "money.md §3", ""),
    ],
)
def test_a_broken_reference_is_found(
    tmp_path: Path, file: str, text: str, reference: str, reason: str
) -> None:
    [found] = reasons(tmp_path, file, text)
    assert found[0] == reference
    assert found[1].startswith(reason)
