"""The selection of businesses: the setting `business_ids`, in the configuration file."""

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


class SelectionNotSavedError(TapError):
    """The account is connected, but the configuration file could not be changed."""


@dataclass(frozen=True, slots=True)
class BusinessSelection:
    """The selection of businesses, and where it is saved.

    Attributes:
        connection: The one that is being made; its store may be the same file.
        file: The configuration file; None if there is none, or several.
        configured: The ids in the settings so far; none means all.
    """

    connection: Connection
    file: Path | None
    configured: frozenset[int]

    @classmethod
    def from_config(cls, connection: Connection, sources: Sequence[str]) -> BusinessSelection:
        """The selection that the settings hold.

        Args:
            connection: With its settings.
            sources: The values of `--config`.
        """
        is_single = len(sources) == 1 and sources[0] != FROM_ENVIRONMENT
        file = Path(sources[0]) if is_single and Path(sources[0]).is_file() else None  # no pipe
        return cls(connection, file, frozenset(connection.config.get(SETTING) or ()))

    def current(self, usable: Collection[Business]) -> list[int]:
        """The businesses that are read if nothing is changed."""
        ids = [business.business_id for business in usable]
        return [each for each in ids if each in self.configured] or ids

    def hint(self, usable: Sequence[Business]) -> list[Step]:
        """How to select some of several businesses later."""
        example = [usable[0].business_id]
        if self.file is not None:
            value = json.dumps(example)
            return [Step(f"To read only some, set {SETTING} in {self.file}, to {value} say.")]
        return _manual_steps(example, "some businesses")

    def save(self, selected: Collection[int], usable: Collection[Business]) -> list[Step]:
        """Make the selection the value of the setting, or say how to.

        Args:
            selected: The ids to read.
            usable: The businesses that can be read.

        Returns:
            The steps that were taken, or are left to the user.

        Raises:
            SelectionNotSavedError: If the configuration file cannot be changed.
        """
        ids = [each.business_id for each in usable if each.business_id in selected]
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
            return _manual_steps(ids, "these businesses")
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
            hint = f"remove {SETTING}" if ids is None else f"set {SETTING} to {json.dumps(ids)}"
            raise SelectionNotSavedError(
                "the account is connected, but the choice of businesses could not be written to "
                f"{path} ({reason}): {hint} there yourself"
            ) from None


def _manual_steps(ids: list[int], which: str) -> list[Step]:
    value = json.dumps(ids)
    return [
        Step(
            f"To read only {which}, set in the environment:",
            f"export TAP_FRESHBOOKS_BUSINESS_IDS='{value}'",
        ),
        Step("or with Meltano:", f"meltano config set tap-freshbooks {SETTING} '{value}'"),
    ]
