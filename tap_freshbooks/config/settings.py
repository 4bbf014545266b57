"""Settings of configuration files and of the environment, which remember where they came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.input_files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FROM_ENVIRONMENT = "ENV"
"""The value of `--config` that means the environment."""


TOKENS = {"access_token", "refresh_token"}
"""Each of them says who is connected: a `.env` adds none to one that was named."""


class Settings(dict[str, Any]):
    """Settings that remember where they came from.

    Attributes:
        sources: The values of `--config`.
        places: Of each setting that came from a file or a variable: where it stands, in words.
        fallbacks: The names of those that came from a `.env`.
        token_file: The one `--config` file that holds the refresh token, None if there are
            several, none, or if the token came from the environment. Determined once, when the
            settings are read: a moment later another run may have put the next token there.
    """

    sources: Sequence[str] = ()
    token_file: Path | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places: dict[str, str] = {}
        self.fallbacks: set[str] = set()

    def add(self, values: Iterable[tuple[str, Any]], place: str) -> None:
        """Take values over those that are there. What is blank is no value, and changes nothing."""
        for name, value in values:
            if not is_blank(value):
                self[name] = value
                self.places[name] = place

    @classmethod
    def load(cls, sources: Sequence[str], environment: Settings) -> Settings:
        """Merge configuration files; later ones win, the environment over all.

        A `.env`, which was found and not named, only adds what none of them has.

        Args:
            sources: Values of `--config`.
            environment: Settings from environment variables, used if `ENV` is among them.

        Raises:
            SettingsError: If a file cannot be read or is no JSON object.
        """
        settings = cls()
        settings.sources = sources
        token_files: dict[Path, Path] = {}  # by what they are: one may be named twice
        for path in (Path(source) for source in sources if source != FROM_ENVIRONMENT):
            content = _read(path)
            settings.add(content.items(), str(path))
            if not is_blank(content.get("refresh_token")):
                token_files[path.resolve()] = path
        if FROM_ENVIRONMENT in sources:
            named = settings.keys() | (environment.keys() - environment.fallbacks)
            for name, value in environment.items():
                others = TOKENS if name in TOKENS else {name}
                if name not in environment.fallbacks or not named & others:
                    settings.add([(name, value)], environment.places[name])
        counts = [
            path
            for file, path in token_files.items()
            # A here-document of a shell is open, but has no path at which it could be replaced.
            if settings.places["refresh_token"] == str(path) and file.is_file()
        ]
        if len(token_files) == 1 and counts:
            settings.token_file = counts[0]
        return settings


def is_blank(value: Any) -> bool:
    """True for what is no value: null, and a text of nothing but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_file(path).decode("utf-8-sig"))
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
