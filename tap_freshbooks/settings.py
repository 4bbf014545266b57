"""Reads the configuration, and says in a sentence what is wrong with it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR, extend_validator_with_defaults

from tap_freshbooks.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema import ValidationError

FROM_ENVIRONMENT = "ENV"
"""What stands for the environment among the values of `--config`."""


class Settings(dict[str, Any]):
    """Settings that remember the files they were read from.

    Attributes:
        files: Those that `--config` named, in their order.
    """

    files: tuple[Path, ...] = ()

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
        settings.files = tuple(Path(place) for place in places if place != FROM_ENVIRONMENT)
        for path in settings.files:
            settings.update(_read(path))
        if FROM_ENVIRONMENT in places:
            settings.update(environment)
        return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the configuration file {path} cannot be read: {error.strerror or error}"
        ) from None
    except ValueError as error:
        # The error's text could quote a secret; its place cannot.
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SettingsError(f"the configuration file {path} is not valid JSON{line}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"the configuration file {path} does not hold a JSON object")
    return content


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
        if isinstance(value, str) and "number" in kinds:  # environment variables are text
            config[name] = _number(value)
    validator = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)(schema)
    return [_phrase(error) for error in validator.iter_errors(config)] + list(_wrong_date(config))


def _phrase(error: ValidationError) -> str:
    place = ".".join(str(part) for part in error.path) or "configuration"
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return f"{place} must be of type {' or '.join(kind for kind in kinds if kind != 'null')}"
    return f"{place} is not allowed: {error.validator} {wanted}"


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _wrong_date(config: Mapping[str, Any]) -> Iterator[str]:
    start = config.get("start_date")
    if isinstance(start, str) and start:
        try:
            datetime.fromisoformat(start)
        except ValueError:
            yield "start_date must be a date or date-time such as 2024-01-31T00:00:00Z"
