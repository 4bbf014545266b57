"""The `.env` whose variables fill in what the environment lacks: which one, and whose it is."""

from __future__ import annotations

import io
import logging
import os
import stat
from pathlib import Path

from dotenv import load_dotenv

from tap_freshbooks.config.log_level import check_log_level
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.input_files import read_file

logger = logging.getLogger("tap-freshbooks.settings")

HOME = "in your home directory it belongs to no project"
STRANGER = "somebody else could have put it there"


def fill_environment() -> dict[str, str]:
    """Add variables that only the `.env` has to the environment.

    Under Meltano there is nothing to add: it reads the `.env` of its project itself, and a
    variable that it leaves out for a plugin, such as the token of another one, must stay out.

    Returns:
        The file for each variable that was added.

    Raises:
        SettingsError: If the `.env` cannot be read, or is not one, or has a wrong LOGLEVEL.
    """
    if any(name.startswith("MELTANO_") for name in os.environ):
        return {}
    try:
        folder = Path.cwd()
        path = _find(folder)
    except OSError:  # the working directory was removed
        return {}
    if path is None:
        return {}
    before = set(os.environ)
    _load(path)
    added = [name for name in os.environ if name not in before]
    if added:
        # A file further up may come as a surprise, so that one is told by all commands.
        level = logging.INFO if path.parent == folder else logging.WARNING
        logger.log(level, "Variables that the environment lacks are taken from %s", path)
        check_log_level()
    return dict.fromkeys(added, str(path))


def _find(folder: Path) -> Path | None:
    """The `.env` of a folder, else the nearest above it, if it may be used.

    What stands in the home directory is of no project, and what other users could have written
    would decide to whom the secrets of this one are sent.
    """
    for each in (folder, *folder.parents):
        path = each / ".env"
        if _is_there(path):
            objection = _objection(path, folder)
            if objection:
                logger.warning("%s is not read: %s", path, objection)
            return None if objection else path
    return None


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() or path.is_fifo()
    except OSError:  # a folder that may not be looked into
        return False


def _objection(path: Path, folder: Path) -> str | None:
    """Why a `.env` is not used by somebody who works in a folder; None if it is."""
    if path.parent != folder and not _is_below_home(path.parent, folder):
        return HOME
    if not hasattr(os, "geteuid"):  # no POSIX
        return None
    # The owner of the working directory: a container sees the files of the host's user.
    trusted = {os.geteuid(), 0, folder.stat().st_uid}
    if path.lstat().st_uid in trusted:
        return None
    place = path.parent.stat()
    return None if place.st_uid in trusted and not place.st_mode & stat.S_IWOTH else STRANGER


def _is_below_home(place: Path, folder: Path) -> bool:
    """False for the home directory of who works in a folder of it, and for what is above."""
    try:
        home = Path.home().resolve()
    except RuntimeError:  # there is none
        return True
    return not (folder.is_relative_to(home) and home.is_relative_to(place))


def _load(path: Path) -> None:
    try:
        load_dotenv(stream=io.StringIO(read_file(path).decode("utf-8-sig")), override=False)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # no UTF-8, or a NUL, which no variable can hold
        raise SettingsError(f"{path} does not have the form of a .env file") from None
