"""Fills in the defaults of settings, and describes the wrong ones without their values."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR, extend_validator_with_defaults

from tap_freshbooks.config.json_content import flaw
from tap_freshbooks.config.settings import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

ASCII_SETTINGS = (
    *("client_id", "client_secret", "redirect_uri", "refresh_token", "access_token"),
    *("user_agent", "api_url", "auth_url", "auth_failure_url", "token_encryption_key"),
)
"""Settings that travel in HTTP, where only printable ASCII may."""

HOST = re.compile(r"[\w.~-]+|[\da-fA-F.]*:[\da-fA-F:.]+(%[\w.~-]+)?")
"""A name or an address, as everybody reads them in the same way."""

BROKEN = re.compile(r"[\0\ud800-\udfff]")
"""What neither a database nor a path can hold."""

FIRST_YEAR, LAST_YEAR = 1900, 9000
NUMBER_LIMIT = 1e9
LEAST_RATE = 0.001


def validate(
    config: dict[str, Any], schema: dict[str, Any], places: Mapping[str, str] | None = None
) -> list[str]:
    """Fill in defaults, and list what is wrong.

    Args:
        config: The settings; changed in place.
        schema: Their JSON schema.
        places: Where settings stand, in words, as far as that is known.

    Returns:
        A phrase per wrong setting, without any value of it: it could be a secret.
    """
    for name, value in list(config.items()):
        kinds = schema["properties"].get(name, {}).get("type", [])
        if is_blank(value):
            del config[name]  # so that the default counts
        elif "integer" in kinds and isinstance(value, float) and value.is_integer():
            config[name] = int(value)  # 4.0 is an integer of JSON, and none of Python
        elif "number" in kinds and isinstance(value, str):
            # Meltano writes text: it has no kind of setting for fractions that it can write.
            config[name] = _object(value) if "object" in kinds else _number(value)
        elif isinstance(value, str) and name != "flattening_separator":  # " - ", say
            config[name] = value.strip()  # a pasted token often brings its line end along
    errors = list(_schema_errors(config, schema))
    wrong = {name for name, _ in errors}
    errors += [each for each in _other_errors(config, schema) if each[0] not in wrong]
    return [
        f"{phrase} ({places[name]})" if places and name in places else phrase
        for name, phrase in errors
    ]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _object(text: str) -> Any:
    """A number, or an object in JSON, which Meltano writes for a setting without a kind."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _number(text)


def schema_errors(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Fill in the defaults of a JSON schema, and list what contradicts it, in phrases."""
    return [phrase for _, phrase in _schema_errors(config, schema)]


def _schema_errors(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings, each with a phrase that says how it contradicts the schema.

    Of one value only the first: what is of the wrong type is none of the allowed values, either.
    """
    validator = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)(schema)
    errors = {tuple(error.path): error for error in reversed([*validator.iter_errors(config)])}
    for path, error in reversed(errors.items()):
        yield str(path[0]) if path else "", _phrase(error)


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
    if error.validator in {"anyOf", "oneOf"}:
        return f"{place} has a form that is not allowed there"
    if error.validator == "enum":
        return f"{place} must be one of {', '.join(map(str, wanted))}"
    return f"{place} is not allowed: {error.validator} {wanted}"


def _other_errors(
    config: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Settings and phrases, as above, for what a JSON schema cannot say."""
    start = config.get("start_date")
    if isinstance(start, str):
        try:
            year = datetime.fromisoformat(start).year
        except ValueError:
            year = 0
        if not FIRST_YEAR <= year <= LAST_YEAR:
            phrase = "start_date must be a date or date-time such as 2024-01-31T00:00:00Z"
            yield "start_date", phrase
    for name, value in config.items():
        is_structure = isinstance(value, dict | list) and name in schema["properties"]
        if is_structure and (problem := flaw(value)):
            yield name, f"{name} cannot be used: {problem}"
    yield from _text_errors({name: config.get(name) for name in schema["properties"]})
    yield from _number_errors(config, schema)
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "flattening_enabled", "flattening_enabled needs flattening_max_depth"
    if config.get("batch_config"):
        # The SDK writes the records of a file past all stream maps, with what these would hide.
        for name in ("stream_maps", "flattening_enabled"):
            if config.get(name):
                phrase = f"batch_config and {name} exclude each other: files would not be mapped"
                yield "batch_config", phrase


def _number_errors(
    config: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for name, setting in schema["properties"].items():
        value = config.get(name)
        numbers = {name: value}
        if isinstance(value, dict) and "number" in setting["type"]:
            numbers = {f"{name}.{key}": each for key, each in value.items()}
        for place, number in numbers.items():
            if isinstance(number, int | float) and not number < NUMBER_LIMIT:  # nor is NaN
                yield name, f"{place} is too large"
        if name == "requests_per_second" and isinstance(value, float) and value < LEAST_RATE:
            yield name, f"{name} is too small: {LEAST_RATE} is the least"


def _text_errors(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        if not isinstance(value, str):
            continue
        if name in ASCII_SETTINGS and not is_plain(value):
            yield name, f"{name} must be plain printable text"
        elif BROKEN.search(value):
            yield name, f"{name} must be text without NUL and halves of characters"
    for name in ("api_url", "auth_url", "auth_failure_url"):
        url = config.get(name)
        if isinstance(url, str) and not (is_url if name == "auth_failure_url" else is_base)(url):
            yield name, f"{name} must be a URL such as https://api.freshbooks.com"


def is_plain(text: str) -> bool:
    """True if a text can travel in the head of a request."""
    return text.isascii() and text.isprintable()


def is_url(text: str) -> bool:
    """True if a text can be the URL of a server, or of something there."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        host.encode("idna")
        is_host = HOST.fullmatch(host) and ("[" in parts.netloc) == (":" in host)
        return parts.scheme in {"http", "https"} and bool(is_host) and parts.port != 0
    except (ValueError, UnicodeError):
        return False


def is_base(text: str) -> bool:
    """True if a text can be the URL of a server, to which paths are added."""
    return is_url(text) and not {"?", "#"} & set(text)
