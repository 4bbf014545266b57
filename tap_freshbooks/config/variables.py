"""Reads settings from environment variables, each with the type that its setting has."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from tap_freshbooks.config.dotenv_file import fill_environment
from tap_freshbooks.config.settings import Settings, is_blank
from tap_freshbooks.config.unknown_names import SDK_VARIABLES, variable_of, warn_of_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""How variables spell them. Other taps of the SDK take whatever else stands there for false."""

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def read_environment(schema: Mapping[str, Any]) -> Settings:
    """Read the settings that environment variables and the `.env` hold.

    A blank variable is no value. What does not have the type of its setting stays text, which
    `validate` refuses.

    Args:
        schema: The JSON schema of all settings.

    Raises:
        SettingsError: If the `.env` cannot be read, or is not one.
    """
    files = fill_environment()
    settings = Settings()
    for name, setting in schema["properties"].items():
        variable = variable_of(name)
        text = os.environ.get(variable, "")
        origin = f" of {files[variable]}" if variable in files else ""
        if origin:
            del os.environ[variable]  # else it would count as the environment's the next time
        if is_blank(text) or (origin and _has_other_name(name, files)):
            continue
        settings.add([(name, _converted(text, setting))], f"variable {variable}{origin}")
        if origin:
            settings.fallbacks.add(name)
    warn_of_variables({*os.environ, *files}, schema["properties"], files)
    return settings


def _has_other_name(setting: str, files: Mapping[str, str]) -> bool:
    """Whether the environment itself sets it, by the name that FreshBooks' SDKs use."""
    variable = SDK_VARIABLES.get(setting, "")
    return variable not in files and not is_blank(os.environ.get(variable))


def read_variable(setting: str) -> str | None:
    """Read one setting, a text, for what needs no other; in the same way as all of them.

    Raises:
        SettingsError: If the `.env` cannot be read, or is not one.
    """
    fill_environment()
    text = os.environ.get(variable_of(setting))
    return None if is_blank(text) else text


def _converted(text: str, schema: Mapping[str, Any]) -> Any:
    """The value that a text stands for; the text itself where it stands for none."""
    kinds, bare = schema.get("type", ()), text.strip()
    if "boolean" in kinds:
        return BOOLEANS.get(bare.lower(), text)
    if "integer" in kinds:
        return int(bare) if INTEGER.fullmatch(bare) else text
    if "number" in kinds and NUMBER.fullmatch(bare):
        return float(bare)
    if "array" in kinds or "object" in kinds:
        return _parsed(text, schema)
    return text


def _parsed(text: str, schema: Mapping[str, Any]) -> Any:
    """JSON, or, for lists of texts or numbers, what stands between commas."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    items = schema.get("items")
    if isinstance(value, list | dict) or not items or "object" in items["type"]:
        return value
    if isinstance(value, str):  # without the quotes of JSON
        text = value
    parts = [part for part in text.split(",") if part.strip()]
    return [_converted(part.strip(), items) for part in parts]
