"""What it takes to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import venvs
from benchmarks.bench import rounds, tell
from benchmarks.field import TAP
from benchmarks.measure import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Part


def startup(bench: Bench) -> Part:
    """What the commands take that read nothing."""
    folder = bench.job(TAP, "startup").folder
    tap = venvs.script(venvs.TAP, "tap-freshbooks")
    python = venvs.python(venvs.TAP)
    config = bench.job(TAP, "startup").write(
        "config.json", {"access_token": "bench", "api_url": bench.stage.url}
    )
    commands = {
        "import singer_sdk": [python, "-c", "import singer_sdk"],
        "--about": [tap, "--about"],
        "--discover": [tap, "--config", config, "--discover"],
        "SDK-default tap --about": [
            *(venvs.python("sdk-default"), str(venvs.HERE / "contestants" / "sdk_default.py")),
            "--about",
        ],
    }

    def runner(name: str, command: list[str]) -> Callable[[], dict[str, Any]]:
        def once() -> dict[str, Any]:
            done = run(command, folder=folder)
            tell(name, done)
            return done.numbers()

        return once

    runners = {name: runner(name, command) for name, command in commands.items()}
    for once in runners.values():
        once()  # so that no one alone finds cold files
    return {"runs": rounds(bench.size.starts, runners)}
