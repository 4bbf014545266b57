"""Finds what the modules of a package declare, so that nothing has to be listed by hand."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

Kind = TypeVar("Kind")


def declared(package: str, kind: type[Kind]) -> tuple[Kind, ...]:
    """All objects of a kind in the modules of a package, in the order of these, each once.

    Args:
        package: The full name of the package.
        kind: The class of the objects.
    """
    found: dict[int, Kind] = {}
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, kind):
                found[id(value)] = value
    return tuple(found.values())
