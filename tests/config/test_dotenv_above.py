"""Several `.env` files, one of them above the installed packages: real processes, two customers.

What needs no process is in `test_dotenv_file.py` and `test_two_customers.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import singer_sdk

import tap_freshbooks
from tests.support import QUICK, catalog_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox import Sandbox

Variables = dict[str, str]

ME = ["api", "/auth/api/v1/users/me"]
SYNC = ["--catalog", "catalog.json"]


@dataclass
class Project:
    """A folder with the tap installed below it, and a working directory elsewhere.

    Attributes:
        root: Above the installed packages.
        cwd: Where the tap is started.
        environment: Of its processes, besides the customer's variables.
    """

    root: Path
    cwd: Path
    environment: Variables = field(default_factory=dict)

    def run(
        self, arguments: list[str], variables: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Run the tap: exit status, output, errors."""
        command = [sys.executable, "-m", "tap_freshbooks", *arguments, "--config", "ENV"]
        done = subprocess.run(
            command,
            cwd=self.cwd,
            env={**self.environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    packages, cwd = tmp_path / "project" / "venv" / "packages", tmp_path / "parent" / "work"
    packages.mkdir(parents=True)
    cwd.mkdir(parents=True)
    for package in (singer_sdk, tap_freshbooks):
        installed = Path(str(package.__file__)).parent
        (packages / installed.name).symlink_to(installed, target_is_directory=True)
    (cwd / "catalog.json").write_text(json.dumps(catalog_of("taxes")))
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHON_DOTENV_DISABLED"},
        "PYTHONPATH": str(packages),
    }
    return Project(tmp_path / "project", cwd, environment)


def customer(sandbox: Sandbox, folder: Path, **more: Any) -> Variables:
    """The variables of a customer with a connection and a token store of his own."""
    folder.mkdir(exist_ok=True)
    settings: dict[str, Any] = {
        **sandbox.config(),
        **QUICK,
        "token_store": folder / "tokens.json",
        "webhook_inbox": folder / "inbox.db",
        **more,
    }
    return {f"TAP_FRESHBOOKS_{name.upper()}": str(value) for name, value in settings.items()}


@pytest.fixture
def theirs(sandbox: Sandbox, tmp_path: Path) -> Variables:
    return customer(sandbox, tmp_path / "theirs")


@pytest.fixture
def ours(sandbox: Sandbox, tmp_path: Path) -> Variables:
    return customer(sandbox, tmp_path / "ours")


def write(folder: Path, variables: Mapping[str, str]) -> None:
    lines = [f"{name}='{value}'\n" for name, value in variables.items()]
    (folder / ".env").write_text("".join(lines))


def requests_of(sandbox: Sandbox, variables: Mapping[str, str]) -> int:
    count: int = sandbox.stats(variables["TAP_FRESHBOOKS_CLIENT_ID"])["requests"]
    return count


def seed(variables: Mapping[str, str]) -> str:
    return variables["TAP_FRESHBOOKS_REFRESH_TOKEN"]


def stored(variables: Mapping[str, str]) -> str:
    path = Path(variables["TAP_FRESHBOOKS_TOKEN_STORE"])
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("arguments", [["logout"], SYNC])
def test_the_environment_wins_over_every_dotenv(
    sandbox: Sandbox, project: Project, theirs: Variables, ours: Variables, arguments: list[str]
) -> None:
    if arguments == ["logout"]:
        project.run(ME, ours)  # else there is nothing to revoke
    before = requests_of(sandbox, ours)
    write(project.root, theirs)
    write(project.cwd, theirs)
    project.run(arguments, ours)
    assert requests_of(sandbox, theirs) == 0
    assert requests_of(sandbox, ours) > before
    assert not stored(theirs)


def test_a_login_asks_for_the_app_of_the_environment(
    project: Project, theirs: Variables, ours: Variables
) -> None:
    write(project.root, theirs)
    write(project.cwd, theirs)
    _, out, _ = project.run(["login", "--paste"], ours)
    assert f"client_id={ours['TAP_FRESHBOOKS_CLIENT_ID']}" in out


@pytest.mark.parametrize(
    ("arguments", "sign"),
    [(SYNC, "MELTANO_PROJECT_ROOT"), (["logout"], "MELTANO_ENVIRONMENT")],
)
def test_under_meltano_another_customers_token_is_not_taken_from_a_dotenv(
    sandbox: Sandbox,
    project: Project,
    theirs: Variables,
    ours: Variables,
    arguments: list[str],
    sign: str,
) -> None:
    write(project.root, theirs)
    write(project.cwd, theirs)
    lacking = {name: value for name, value in ours.items() if "REFRESH_TOKEN" not in name}
    status, out, error = project.run(arguments, {**lacking, sign: str(project.root)})
    if arguments == ["logout"]:
        assert "There is no connection" in out
    else:
        assert status == 2, error
        assert "there is no connection yet" in error
    assert requests_of(sandbox, theirs) == requests_of(sandbox, ours) == 0
    assert not stored(theirs)
    assert seed(theirs) not in stored(ours)


def test_a_dotenv_above_the_package_is_not_read(
    sandbox: Sandbox, project: Project, theirs: Variables
) -> None:
    write(project.root, theirs)
    status, _, error = project.run(["status"])
    assert status == 2
    assert "client_id" in error
    assert requests_of(sandbox, theirs) == 0


@pytest.mark.parametrize(("place", "arguments"), [(".", SYNC), ("..", ME)])
def test_a_dotenv_in_the_working_directory_or_above_fills_in_what_the_environment_lacks(
    sandbox: Sandbox, project: Project, ours: Variables, place: str, arguments: list[str]
) -> None:
    secret = "TAP_FRESHBOOKS_CLIENT_SECRET"
    write(project.cwd / place, {**ours, secret: "stale"})
    status, _, error = project.run(arguments, {secret: ours[secret]})
    assert status == 0, error
    assert requests_of(sandbox, ours) > 0
