"""What to do after a login: the commands that read the account."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MELTANO_RUN = "meltano run tap-freshbooks target-postgres"
MELTANO_LOGIN = "meltano invoke tap-freshbooks:login"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, or that the user may do.

    Attributes:
        what: A sentence, or the beginning of one that the command ends.
        command: For a shell; empty if there is nothing to run.
    """

    what: str
    command: str = ""


def next_steps(
    places: Sequence[str], catalog: str | None, store: str, *, is_configured: bool, meltano: bool
) -> list[Step]:
    """The commands that find the tokens of this login.

    Args:
        places: The values of `--config`.
        catalog: The value of `--catalog`.
        store: Where the tokens are.
        is_configured: Whether `token_store` says so: then every program finds them there.
        meltano: Whether the login runs under Meltano, whose tokens have a place of their own.
    """
    singer = f"{tap_command(places, catalog)} | target-jsonl"
    if meltano:
        same = "the same settings" if is_configured else f"these settings and token_store {store}"
        return [
            Step("Read the account:", MELTANO_RUN),
            Step(f"or with any Singer target, with {same}:", singer),
        ]
    steps = [Step("Read the account, into any Singer target:", singer)]
    if is_configured:
        return [*steps, Step("or with Meltano, with the same settings:", MELTANO_RUN)]
    # A second consent would end this one (`docs/freshbooks-api/auth.md §5`), hence the warning.
    return [
        *steps,
        Step(
            "A Meltano project keeps tokens of its own, and a login there ends this one. Either "
            "set token_store in both, or use Meltano alone and log in there:",
            f"{MELTANO_LOGIN} && {MELTANO_RUN}",
        ),
    ]


def tap_command(places: Sequence[str], catalog: str | None) -> str:
    """The tap with the options of this login."""
    words = ["tap-freshbooks"]
    for place in places:
        words += ["--config", place]
    if catalog:
        words += ["--catalog", catalog]
    return shlex.join(words)
