"""Reads the configuration, and says in a sentence what is wrong with it."""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dotenv import find_dotenv, load_dotenv
from singer_sdk.singerlib import Catalog
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR, extend_validator_with_defaults

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.singer.sdk_bridge import parse_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema import ValidationError

logger = logging.getLogger("tap-freshbooks.settings")

FROM_ENVIRONMENT = "ENV"
"""What stands for the environment among the values of `--config`."""

VARIABLES = "TAP_FRESHBOOKS_"
"""How the names of its variables begin."""

PLAIN = (
    *("client_id", "client_secret", "redirect_uri", "refresh_token", "access_token"),
    *("user_agent", "api_url", "auth_url", "auth_failure_url", "token_encryption_key"),
)
"""Settings that travel in HTTP, where only printable ASCII may."""

FIRST_YEAR, LAST_YEAR = 1900, 9000
LARGEST = 1e9


class Settings(dict[str, Any]):
    """Settings that remember where they came from.

    Attributes:
        places: The values of `--config`.
        token_file: The one `--config` file that holds the refresh token, None if there are
            several, none, or if the token came from the environment. Found out once, when the
            settings are read: a moment later another run may have put the next token there.
    """

    places: Sequence[str] = ()
    token_file: Path | None = None

    @classmethod
    def load(cls, places: Sequence[str], environment: Mapping[str, Any]) -> Settings:
        """Merge configuration files; later ones win, the environment over all.

        Args:
            places: Values of `--config`.
            environment: Settings from environment variables, used if `ENV` is among them.

        Raises:
            SettingsError: If a file cannot be read or is no JSON object.
        """
        settings = cls()
        settings.places = places
        holders = []
        for path in (Path(place) for place in places if place != FROM_ENVIRONMENT):
            content = _read(path)
            settings.update(content)
            if content.get("refresh_token"):
                holders.append(path)
        named = {name: value for name, value in environment.items() if value != ""}
        if FROM_ENVIRONMENT in places:
            settings.update(named)
        if len(holders) == 1 and "refresh_token" not in named and holders[0].is_file():
            settings.token_file = holders[0]
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


def from_environment(schema: dict[str, Any]) -> dict[str, Any]:
    """The settings that environment variables name.

    Args:
        schema: The JSON schema of all settings.

    Raises:
        SettingsError: If a variable does not have the type of its setting, or a `.env` is none.
    """
    _add_dotenv()
    try:
        return parse_variables(schema, VARIABLES)
    except ValueError:
        raise SettingsError(
            f"an environment variable {VARIABLES}… does not have the type of its setting: integers "
            "are digits, lists are JSON"
        ) from None


def _add_dotenv() -> None:
    """Add to the environment what only the nearest `.env` has, from the working directory up.

    Under Meltano there is nothing to add: it reads the `.env` of its project itself, and what it
    leaves out for a plugin, such as the token of another one, must stay out.
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
            logger.info("What the environment lacks is taken from %s", path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # no UTF-8, or what no variable can hold
        raise SettingsError(f"{path} does not have the form of a .env file") from None


def complete(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Fill in defaults, and list what is wrong.

    Args:
        config: The settings; changed in place.
        schema: Their JSON schema.

    Returns:
        A phrase per wrong setting, without any value of it: it could be a secret.
    """
    for name, value in list(config.items()):
        kinds = schema["properties"].get(name, {}).get("type", [])
        if value is None:
            del config[name]  # so that the default counts
        elif isinstance(value, str) and "number" in kinds:  # environment variables are text
            config[name] = _number(value)
        elif isinstance(value, str) and name in PLAIN:
            config[name] = value.strip()  # a pasted token often brings its line end along
    return phrases(config, schema) + list(_wrong(config))


def phrases(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """What a JSON schema has against settings, in which it fills in defaults."""
    validator = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)(schema)
    return [_phrase(error) for error in validator.iter_errors(config)]


def _phrase(error: ValidationError) -> str:
    place = ".".join(str(part) for part in error.path) or "configuration"
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return f"{place} must be of type {' or '.join(kind for kind in kinds if kind != 'null')}"
    found: Any = error.instance
    schema: Any = error.schema
    if error.validator == "additionalProperties" and wanted is False:
        known = schema["properties"]
        unknown = ", ".join(sorted(set(found) - set(known)))
        return f"{place} has {unknown}, which means nothing there; known are {', '.join(known)}"
    if error.validator == "required":
        return f"{place} needs {', '.join(sorted(set(wanted) - set(found)))}"
    return f"{place} is not allowed: {error.validator} {wanted}"


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _wrong(config: Mapping[str, Any]) -> Iterator[str]:
    """What a JSON schema cannot say."""
    start = config.get("start_date")
    if isinstance(start, str) and start:
        try:
            year = datetime.fromisoformat(start).year
        except ValueError:
            year = 0
        if not FIRST_YEAR <= year <= LAST_YEAR:
            yield "start_date must be a date or date-time such as 2024-01-31T00:00:00Z"
    yield from _wrong_texts(config)
    for name in ("requests_per_second", "request_timeout"):
        value = config.get(name)
        if isinstance(value, int | float) and not value < LARGEST:
            yield f"{name} is too large"
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "flattening_enabled needs flattening_max_depth"


def _wrong_texts(config: Mapping[str, Any]) -> Iterator[str]:
    for name in PLAIN:
        value = config.get(name)
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            yield f"{name} must be plain printable text"
    for name in ("api_url", "auth_url", "auth_failure_url"):
        url = config.get(name)
        if isinstance(url, str) and url and not is_url(url):
            yield f"{name} must be a URL such as https://api.freshbooks.com"


def is_url(text: str) -> bool:
    """Whether a text can be the base URL of a server."""
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, UnicodeError):
        return False


def read_state(file: IO[str] | None) -> dict[str, Any] | None:
    """Read the file of `--state`; an empty one means no state.

    Raises:
        SettingsError: If it is not a Singer state.
    """
    state = _read_json(file, "state")
    if state is None:
        return None
    if isinstance(state, dict) and state.get("type") == "STATE":
        state = state.get("value")  # a line of the tap's own output, not of the target's
    bookmarks = state.get("bookmarks", {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(map(_is_stream_state, bookmarks.values())):
        raise SettingsError(
            "the state file does not have the form of a Singer state; without --state "
            "everything is read again"
        )
    return dict(state)


def _is_stream_state(state: Any) -> bool:
    if not isinstance(state, dict):
        return False
    partitions = state.get("partitions", [])
    if not isinstance(partitions, list):
        return False
    contexts = [part.get("context") if isinstance(part, dict) else None for part in partitions]
    known = {json.dumps(context, sort_keys=True) for context in contexts}
    return all(isinstance(each, dict) for each in contexts) and len(known) == len(contexts)


def read_catalog(file: IO[str] | None) -> Catalog | None:
    """Read the file of `--catalog`.

    Raises:
        SettingsError: If it is not a Singer catalog.
    """
    catalog = _read_json(file, "catalog")
    if catalog is None:
        return None
    try:
        return Catalog.from_dict(catalog)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SettingsError(
            "the catalog file does not have the form of a Singer catalog; make one with --discover"
        ) from None


def _read_json(file: IO[str] | None, what: str) -> Any:
    try:
        text = file.read() if file else ""
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        raise SettingsError(f"the {what} file is not valid JSON") from None
