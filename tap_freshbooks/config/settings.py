"""Reads the settings from configuration files, environment variables and a `.env`."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import find_dotenv, load_dotenv

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.singer.sdk_bridge import parse_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger("tap-freshbooks.settings")

FROM_ENVIRONMENT = "ENV"
"""The value of `--config` that means the environment."""

ENV_PREFIX = "TAP_FRESHBOOKS_"
"""What the names of environment variables begin with."""


class Settings(dict[str, Any]):
    """Settings that remember where they came from.

    Attributes:
        sources: The values of `--config`.
        token_file: The one `--config` file that holds the refresh token, None if there are
            several, none, or if the token came from the environment. Determined once, when the
            settings are read: a moment later another run may have put the next token there.
    """

    sources: Sequence[str] = ()
    token_file: Path | None = None

    @classmethod
    def load(cls, sources: Sequence[str], environment: Mapping[str, Any]) -> Settings:
        """Merge configuration files; later ones win, the environment over all.

        Args:
            sources: Values of `--config`.
            environment: Settings from environment variables, used if `ENV` is among them.

        Raises:
            SettingsError: If a file cannot be read or is no JSON object.
        """
        settings = cls()
        settings.sources = sources
        token_files = []
        for path in (Path(source) for source in sources if source != FROM_ENVIRONMENT):
            content = _read(path)
            settings.update(content)
            if content.get("refresh_token"):
                token_files.append(path)
        named = {name: value for name, value in environment.items() if value != ""}
        if FROM_ENVIRONMENT in sources:
            settings.update(named)
        if len(token_files) == 1 and "refresh_token" not in named and token_files[0].is_file():
            settings.token_file = token_files[0]
        return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"the configuration file {path} cannot be read: {error.strerror or error}"
        ) from None
    except (ValueError, RecursionError) as error:
        # The error's text could quote a secret; its place cannot.
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SettingsError(f"the configuration file {path} is not valid JSON{line}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"the configuration file {path} does not hold a JSON object")
    return content


def read_environment(schema: dict[str, Any]) -> dict[str, Any]:
    """Read the settings that environment variables hold.

    Args:
        schema: The JSON schema of all settings.

    Raises:
        SettingsError: If a variable does not have the type of its setting, or a `.env` is not one.
    """
    _load_dotenv()
    try:
        return parse_variables(schema, ENV_PREFIX)
    except ValueError:
        raise SettingsError(
            f"an environment variable {ENV_PREFIX}… does not have the type of its setting: "
            "integers are digits, lists are JSON"
        ) from None


def _load_dotenv() -> None:
    """Add variables that only the nearest `.env` has, from the working directory up.

    Under Meltano there is nothing to add: it reads the `.env` of its project itself, and a
    variable that it leaves out for a plugin, such as the token of another one, must stay out.
    """
    if any(name.startswith("MELTANO_") for name in os.environ):
        return
    try:
        path = find_dotenv(usecwd=True)
    except OSError:  # the working directory was removed
        return
    if not path:
        return
    try:
        if load_dotenv(path, override=False, encoding="utf-8-sig"):
            logger.info("Variables that the environment lacks are taken from %s", path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # no UTF-8, or a NUL, which no variable can hold
        raise SettingsError(f"{path} does not have the form of a .env file") from None
