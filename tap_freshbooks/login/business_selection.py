"""Which businesses to read: the setting `business_ids`, where the user has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tap_freshbooks.config.settings import FROM_ENVIRONMENT
from tap_freshbooks.errors import TapError
from tap_freshbooks.login.next_steps import Step
from tap_freshbooks.storage.json_file import JsonFile, NotAnObjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection

SETTING = "business_ids"


class ChoiceNotKept(TapError):  # noqa: N818 - an event
    """The account is connected, but the configuration file could not be changed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The choice of businesses, and where it is kept.

    Attributes:
        connection: What is being connected; its store may be the same file.
        file: The one configuration file, None if there is none that rules alone.
        configured: What the settings say so far; none means all.
    """

    connection: Connection
    file: Path | None
    configured: frozenset[int]

    @classmethod
    def of(cls, connection: Connection, places: Sequence[str]) -> Choice:
        """The choice that a configuration allows.

        Args:
            connection: With its settings.
            places: The values of `--config`.
        """
        alone = len(places) == 1 and places[0] != FROM_ENVIRONMENT
        file = Path(places[0]) if alone and Path(places[0]).is_file() else None  # no pipe, say
        return cls(connection, file, frozenset(connection.config.get(SETTING) or ()))

    def current(self, usable: Collection[Business]) -> list[int]:
        """The businesses that would be read if nothing was changed."""
        ids = [business.business_id for business in usable]
        return [each for each in ids if each in self.configured] or ids

    def hint(self, usable: Sequence[Business]) -> list[Step]:
        """How to choose some of several businesses later."""
        example = [usable[0].business_id]
        if self.file is not None:
            value = json.dumps(example)
            return [Step(f"To read only some, set {SETTING} in {self.file}, to {value} say.")]
        return _by_hand(example, "some businesses")

    def keep(self, chosen: Collection[int], usable: Collection[Business]) -> list[Step]:
        """Make the choice the setting's value, or say how to.

        Args:
            chosen: The ids to read.
            usable: The businesses that could be.

        Returns:
            What was done, or is left to do.

        Raises:
            ChoiceNotKept: If the configuration file cannot be changed.
        """
        ids = [each.business_id for each in usable if each.business_id in chosen]
        is_all = len(ids) == len(usable)
        wanted = frozenset() if is_all else frozenset(ids)
        if not usable:
            return []
        some = f"{len(ids)} of {len(usable)} businesses"
        what = "all businesses, later ones too" if is_all else some
        if wanted == self.configured:
            return [Step(f"Reads {what}.")]
        if self.file is None and is_all:
            unset = f"meltano config unset tap-freshbooks {SETTING}"
            return [Step(f"To read all, remove the setting {SETTING}; with Meltano:", unset)]
        if self.file is None:
            return _by_hand(ids, "these businesses")
        self._write(self.file, None if is_all else ids)
        return [Step(f"Reads {what}; {SETTING} in {self.file} says so.")]

    def _write(self, path: Path, ids: list[int] | None) -> None:
        file = JsonFile(path)
        try:
            with self.connection.store.locked():  # the tokens may live in this file too
                content = file.read()
                if ids is None:
                    content.pop(SETTING, None)
                else:
                    content[SETTING] = ids
                mode = path.stat().st_mode
                file.replace(content)
                path.chmod(mode)  # others may read a configuration whose tokens live elsewhere
        except (OSError, NotAnObjectError, TapError) as error:
            reason = getattr(error, "strerror", None) or error
            remedy = f"remove {SETTING}" if ids is None else f"set {SETTING} to {json.dumps(ids)}"
            raise ChoiceNotKept(
                "the account is connected, but the choice of businesses could not be written to "
                f"{path} ({reason}): {remedy} there yourself"
            ) from None


def _by_hand(ids: list[int], which: str) -> list[Step]:
    value = json.dumps(ids)
    return [
        Step(
            f"To read only {which}, set in the environment:",
            f"export TAP_FRESHBOOKS_BUSINESS_IDS='{value}'",
        ),
        Step("or with Meltano:", f"meltano config set tap-freshbooks {SETTING} '{value}'"),
    ]
