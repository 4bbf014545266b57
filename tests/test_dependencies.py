from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

Imports = dict[str, set[str]]
"""Distributions by the file that imports them."""

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("tap_freshbooks", "freshbooks_sandbox")

ROOMS_OF_EXTRAS = {
    "api": "tap_freshbooks/passthrough/jq_worker.py",
    "encryption": "tap_freshbooks/oauth/stores/encryption.py",
    "login": "tap_freshbooks/login/",
    "sandbox": "freshbooks_sandbox/",
    "webhooks": "tap_freshbooks/webhooks/server/",
}
"""Where the packages of an extra may be imported."""

NOT_IMPORTED = {
    "psycopg",  # SQLAlchemy does, for postgresql+psycopg://
    "pysocks",  # urllib3 does, where a proxy speaks SOCKS
    "python-multipart",  # starlette does, to read forms
    "tzdata",  # zoneinfo reads it where the machine has no time zones
}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normalized(Requirement(each).name) for each in requirements}


BASE = declared(PROJECT["dependencies"])
EXTRAS = {name: declared(each) for name, each in PROJECT["optional-dependencies"].items()}


def imported_by(path: Path, known: Mapping[str, list[str]]) -> set[str]:
    """The distributions of the modules that a file imports, type-checking imports included."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    tops = {module.partition(".")[0] for module in modules}
    return {
        normalized(known[top][0]) if top in known else top
        for top in tops - sys.stdlib_module_names - {*PACKAGES, "_typeshed"}
    }


@pytest.fixture(scope="module")
def imports() -> Imports:
    known = packages_distributions()
    return {
        str(path.relative_to(ROOT)): imported_by(path, known)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def test_what_is_imported_is_declared_and_extras_stay_in_their_rooms(imports: Imports) -> None:
    undeclared = {}
    for path, names in imports.items():
        rooms = [extra for extra, room in ROOMS_OF_EXTRAS.items() if path.startswith(room)]
        if missing := names - BASE.union(*(EXTRAS[extra] for extra in rooms)):
            undeclared[path] = missing
    assert undeclared == {}


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_what_is_declared_is_imported(imports: Imports, extra: str | None) -> None:
    wanted = BASE if extra is None else EXTRAS[extra]
    room = "" if extra is None else ROOMS_OF_EXTRAS.get(extra, "")
    used = set().union(*(names for path, names in imports.items() if path.startswith(room)))
    assert wanted - used - NOT_IMPORTED == set()


def test_what_is_declared_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {normalized(line.partition("==")[0]) for line in lines}
    assert BASE.union(*EXTRAS.values()) - pinned == set()
