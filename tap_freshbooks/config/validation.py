"""Fills in the defaults of settings, and describes the wrong ones without their values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR, extend_validator_with_defaults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

ASCII_SETTINGS = (
    *("client_id", "client_secret", "redirect_uri", "refresh_token", "access_token"),
    *("user_agent", "api_url", "auth_url", "auth_failure_url", "token_encryption_key"),
)
"""Settings that travel in HTTP, where only printable ASCII may."""

FIRST_YEAR, LAST_YEAR = 1900, 9000
NUMBER_LIMIT = 1e9


def validate(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
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
        elif isinstance(value, str) and name in ASCII_SETTINGS:
            config[name] = value.strip()  # a pasted token often brings its line end along
    return schema_errors(config, schema) + list(_other_errors(config))


def schema_errors(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Fill in the defaults of a JSON schema, and list what contradicts it, in phrases."""
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


def _other_errors(config: Mapping[str, Any]) -> Iterator[str]:
    """Phrases for what a JSON schema cannot say."""
    start = config.get("start_date")
    if isinstance(start, str) and start:
        try:
            year = datetime.fromisoformat(start).year
        except ValueError:
            year = 0
        if not FIRST_YEAR <= year <= LAST_YEAR:
            yield "start_date must be a date or date-time such as 2024-01-31T00:00:00Z"
    yield from _text_errors(config)
    for name in ("requests_per_second", "request_timeout", "max_response_size"):
        value = config.get(name)
        if isinstance(value, int | float) and not value < NUMBER_LIMIT:
            yield f"{name} is too large"
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "flattening_enabled needs flattening_max_depth"
    if config.get("batch_config"):
        # The SDK writes the records of a file past all stream maps, with what these would hide.
        for name in ("stream_maps", "flattening_enabled"):
            if config.get(name):
                yield f"batch_config and {name} exclude each other: files would not be mapped"


def _text_errors(config: Mapping[str, Any]) -> Iterator[str]:
    for name in ASCII_SETTINGS:
        value = config.get(name)
        if isinstance(value, str) and not is_plain(value):
            yield f"{name} must be plain printable text"
    for name in ("api_url", "auth_url", "auth_failure_url"):
        url = config.get(name)
        if isinstance(url, str) and url and not is_url(url):
            yield f"{name} must be a URL such as https://api.freshbooks.com"


def is_plain(text: str) -> bool:
    """True if a text can travel in the head of a request."""
    return text.isascii() and text.isprintable()


def is_url(text: str) -> bool:
    """True if a text can be the base URL of a server."""
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, UnicodeError):
        return False
