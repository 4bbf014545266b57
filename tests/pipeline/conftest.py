from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.pipeline import Meltano, Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADERS = ("target-postgres", "target-duckdb", "target-jsonl")


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system directory of Meltano in which all plugins are installed."""
    folder = tmp_path_factory.mktemp("plugins")
    Meltano(folder, {}, folder / "meltano.log").install(*LOADERS)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests.

    Its data are not in pytest's folder: for root, PostgreSQL runs as another user, which another
    session of pytest would lock out of that folder.
    """
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "data") as server:
        yield server


def new_system_dir(plugins: Path, folder: Path) -> Path:
    """A system directory without state and tokens, with the plugins of the session."""
    folder.mkdir()
    for kind in ("extractors", "loaders"):
        (folder / kind).symlink_to(plugins / kind)
    return folder
