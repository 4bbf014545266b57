from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.pipeline import Meltano

if TYPE_CHECKING:
    from pathlib import Path

LOADERS = ("target-postgres", "target-duckdb", "target-jsonl")


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system directory of Meltano in which all plugins are installed."""
    folder = tmp_path_factory.mktemp("plugins")
    Meltano(folder, {}, folder / "meltano.log").install(*LOADERS)
    return folder


def new_system_dir(plugins: Path, folder: Path) -> Path:
    """A system directory without state and tokens, with the plugins of the session."""
    folder.mkdir()
    for kind in ("extractors", "loaders"):
        (folder / kind).symlink_to(plugins / kind)
    return folder
