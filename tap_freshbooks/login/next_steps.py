"""The steps after a login: the commands that read the account."""

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
    """A step that was taken, or that the user may take.

    Attributes:
        text: A sentence, or the beginning of one that the command ends.
        command: For a shell; empty if there is nothing to run.
    """

    text: str
    command: str = ""


def next_steps(
    sources: Sequence[str], catalog: str | None, store: str, *, is_configured: bool, meltano: bool
) -> list[Step]:
    """The commands that find the tokens of this login.

    Args:
        sources: The values of `--config`.
        catalog: The value of `--catalog`.
        store: The token store.
        is_configured: True if the setting `token_store` names it, so that every program finds it.
        meltano: True under Meltano, whose projects have a token store of their own.
    """
    singer = f"{tap_command(sources, catalog)} | target-jsonl"
    if meltano:
        same = "the same settings" if is_configured else f"these settings and token_store {store}"
        return [
            Step("Read the account:", MELTANO_RUN),
            Step(f"or with any Singer target, with {same}:", singer),
        ]
    steps = [Step("Read the account, into any Singer target:", singer)]
    if is_configured:
        return [*steps, Step("or with Meltano, with the same settings:", MELTANO_RUN)]
    # Another authorisation would end this one (`docs/freshbooks-api/auth.md §5`), so this warns.
    return [
        *steps,
        Step(
            "A Meltano project keeps tokens of its own, and a login there ends this one. Either "
            "set token_store in both, or use Meltano alone and log in there:",
            f"{MELTANO_LOGIN} && {MELTANO_RUN}",
        ),
    ]


def tap_command(sources: Sequence[str], catalog: str | None) -> str:
    """The tap with the options of this login."""
    words = ["tap-freshbooks"]
    for source in sources:
        words += ["--config", source]
    if catalog:
        words += ["--catalog", catalog]
    return shlex.join(words)
