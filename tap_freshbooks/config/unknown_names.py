"""Names the settings that nobody reads, with what may have been meant.

They are no failure: one configuration often serves several programs, and an older tap.
"""

from __future__ import annotations

import logging
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

logger = logging.getLogger("tap-freshbooks.settings")

PREFIX = "TAP_FRESHBOOKS_"
"""What the names of variables begin with."""

SDK_VARIABLES = {"api_url": "FRESHBOOKS_API_URL", "auth_url": "FRESHBOOKS_AUTH_URL"}
"""Settings, and what FreshBooks' own SDKs call their variables."""

OTHER_VARIABLES = (*SDK_VARIABLES.values(), f"{PREFIX}LOGLEVEL")
"""Variables that are read, and are named after no setting: the last one by Singer's SDK."""

OF_KUBERNETES = re.compile(r"(SERVICE_HOST|SERVICE_PORT|PORT)(_.*)?")
"""What pods are told of a service with the name `tap-freshbooks`, after the prefix."""

ALIKE = 0.9
"""How alike (`difflib`) a variable without the prefix is to one that was meant."""


def variable_of(setting: str) -> str:
    """The variable of a setting."""
    return PREFIX + setting.upper()


def warn_of_settings(
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    places: Mapping[str, str],
    others: Collection[str],
) -> None:
    """Name the settings that the schema does not know.

    Args:
        config: All settings.
        schema: Their JSON schema.
        places: Where they stand.
        others: Other keys that may stand in a configuration file.
    """
    for path, near in _unknown_settings(config, schema, others):
        where = places.get(path.partition(".")[0])
        _warn(f"setting {path}" + (f" ({where})" if where else ""), near)


def _unknown_settings(
    config: Mapping[str, Any], schema: Mapping[str, Any], others: Collection[str] = ()
) -> Iterator[tuple[str, str | None]]:
    """Dotted names, each with the nearest known one, where the schema names all that there are."""
    known = schema.get("properties", {})
    if not known or schema.get("additionalProperties", True) is not True:
        return
    for name, value in config.items():
        if name not in known and name not in others:
            yield name, _nearest(name.replace("-", "_"), known)
        elif name in known and isinstance(value, dict):
            for path, near in _unknown_settings(value, known[name]):
                yield f"{name}.{path}", near


def warn_of_variables(
    names: Collection[str], settings: Mapping[str, Any], files: Mapping[str, str]
) -> None:
    """Name the variables that look like settings and are none.

    Args:
        names: Of all variables.
        settings: The JSON schemas of all settings.
        files: The `.env` of the variables that came from one.
    """
    known = {*map(variable_of, settings), *OTHER_VARIABLES}
    meltano = any(name.startswith("MELTANO_") for name in names)
    for name in sorted(set(names) - known):
        if not name.upper().startswith(PREFIX):
            near = _meant(name, known - set(names))
            if near is None:
                continue
        elif OF_KUBERNETES.fullmatch(name[len(PREFIX) :]) or (
            meltano and _is_meltanos(name, settings)
        ):
            continue
        else:
            setting = _nearest(name[len(PREFIX) :], [*settings, "loglevel"])
            near = setting and variable_of(setting)
        _warn(f"variable {name}" + (f" of {files[name]}" if name in files else ""), near)


def _is_meltanos(variable: str, settings: Mapping[str, Any]) -> bool:
    """True for what Meltano adds: extras, parts of settings, and settings of other plugins.

    `TAP_FRESHBOOKS__SELECT`, `TAP_FRESHBOOKS_FAKER_CONFIG_SEED`, `TAP_FRESHBOOKS_SECOND_CLIENT_ID`,
    say. The last one is of a plugin that inherits from this one: each gets those of all.
    """
    rest = variable[len(PREFIX) :].lower()
    parts = (f"{name}_" for name, schema in settings.items() if "object" in schema.get("type", ()))
    others = (f"_{name}" for name in settings)
    return "__" in f"_{rest}" or rest.startswith(tuple(parts)) or rest.endswith(tuple(others))


def _meant(variable: str, known: Collection[str]) -> str | None:
    """The known variable that one of FreshBooks, without our prefix, is almost alike."""
    if "FRESHBOOK" not in variable.upper():
        return None
    return next(iter(get_close_matches(variable.upper(), known, 1, ALIKE)), None)


def _nearest(name: str, known: Collection[str]) -> str | None:
    return next(iter(get_close_matches(name.lower(), known, 1)), None)


def _warn(subject: str, near: str | None) -> None:
    hint = f"; did you mean {near}?" if near else ""
    logger.warning("The %s is unknown and ignored%s", subject, hint)
