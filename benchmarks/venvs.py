"""The virtual environments of the contestants, each with what is pinned for it and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import BenchmarkError

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
PINS = HERE / "environments"
VENVS = HERE / ".venvs"

TAP = "tap"
PEERS = ("sdk-default", "airbyte", "dlt", "floors")


def python(name: str) -> str:
    """The interpreter of an environment."""
    return str(VENVS / name / "bin" / "python")


def script(name: str, command: str) -> str:
    """A command that is installed in an environment."""
    return str(VENVS / name / "bin" / command)


def prepare(name: str, source: Path) -> None:
    """Create an environment, or bring it up to its pins; uv says why, where that fails.

    Args:
        name: Which one.
        source: Where the tap is, installed as a user would do it.

    Raises:
        BenchmarkError: If that fails.
    """
    environment = {**os.environ, "VIRTUAL_ENV": str(VENVS / name)}
    uv = str(Path(sys.executable).parent / "uv")
    if not Path(python(name)).exists():
        subprocess.run(
            [uv, "venv", "--quiet", "--python", sys.executable, VENVS / name], check=True
        )
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
    if name == TAP:
        install += ["--constraint", str(source / "constraints.txt")]
        install += ["--reinstall-package", "tap-freshbooks", str(source)]
    else:
        install += ["--requirement", str(PINS / f"{name}.txt")]
    if subprocess.run(install, check=False, env=environment).returncode:
        raise BenchmarkError(f"the environment {name} could not be made")


def versions(name: str, packages: tuple[str, ...]) -> dict[str, str]:
    """Which versions of packages an environment has."""
    code = (
        "import json, sys; from importlib.metadata import version; "
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    output = subprocess.check_output([python(name), "-c", code, *packages])
    found: dict[str, str] = json.loads(output)
    return found
