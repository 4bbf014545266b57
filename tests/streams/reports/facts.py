"""Answers made of the files of facts: every field that a file names, each with its own value."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.facts import fields_of, read

if TYPE_CHECKING:
    from collections.abc import Callable

Fact = dict[str, Any]
NAMES = re.compile(r"\{(\w+(?:, \w+)*)\}")


class Filled:
    """An answer, and the values in it, which can be told from each other.

    Args:
        name: Of the stream.
        left_out: Fields that the answer lacks.
    """

    def __init__(self, name: str, *left_out: str) -> None:
        self.values: dict[str, str] = {}
        """The path of each value, by the value as text."""
        self._numbers = count(1001)
        facts = fields_of(read(name))
        self.answer = {
            key: self._value(fact, key) for key, fact in facts.items() if key not in left_out
        }

    def _value(self, fact: Fact, path: str) -> Any:
        name, notes = path.rpartition(".")[2], str(fact.get("notes", ""))
        if fact.get("format") == "money":
            return self._money(path)
        if "properties" in fact:
            return self._object(fact["properties"], path)
        if fact["type"] == "array":
            return self._list(fact, path)
        if fact["type"] == "object":
            return self._loose_object(name, notes, path)
        return self._scalar(fact, path)

    def _object(self, facts: Fact, path: str) -> Any:
        return {key: self._value(fact, f"{path}.{key}") for key, fact in facts.items()}

    def _list(self, fact: Fact, path: str) -> list[Any]:
        """What an element is may stand in the notes only."""
        name, notes = path.rpartition(".")[2], str(fact.get("notes", ""))
        items = fact.get("items")
        if items and "properties" in items:
            return [self._object(items["properties"], path)]
        if items:
            return [self._scalar(items, path)]
        if name == "balances" or name.endswith("_total"):
            return [{"balance": self._money(path)}]
        if name == "children":
            return []
        if "row shape" in notes:
            return [self._line(path)]
        if "money" in notes:
            return [self._money(path)]
        names = NAMES.search(notes)
        if names:
            text: Fact = {"type": "string"}
            inner = {
                key: {"type": "array"} if key == "balances" else text
                for key in names[1].split(", ")
            }
            return [self._object(inner, path)]
        return [{"unknown": self._scalar({"type": "string"}, path)}]

    def _loose_object(self, name: str, notes: str, path: str) -> Fact:
        if "row" in notes:
            return self._line(path)
        if name == "totals":
            ages = re.findall(r'"([^"]+)"', notes)
            return {age: self._money(f"{path}.{age}") for age in ages}
        if name == "summary":
            return {key: self._money(f"{path}.{key}") for key in ("total", "paid", "outstanding")}
        return {"1": self._scalar({"type": "string"}, path)}

    def _line(self, path: str) -> Fact:
        names = {"description": "string", "entry_type": "string"}
        texts = {key: self._scalar({"type": kind}, f"{path}.{key}") for key, kind in names.items()}
        return {**texts, "data": [self._money(path)], "total": self._money(path), "children": []}

    def _money(self, path: str) -> Fact:
        return {"amount": self._note(f"{next(self._numbers)}.25", path), "code": "CAD"}

    def _scalar(self, fact: Fact, path: str) -> Any:
        number = next(self._numbers)
        if fact["type"] == "boolean":
            return True
        makers: dict[Any, Callable[[], str]] = {
            "date": lambda: f"{1000 + number}-02-03",
            "decimal-string": lambda: f"{number}.5",
        }
        text = makers.get(fact.get("format"), lambda: str(number))()
        self._note(text, path)
        return text if fact["type"] == "string" else number

    def _note(self, text: str, path: str) -> str:
        self.values[text] = path
        return text


def values_in(found: Any) -> set[str]:
    """Every value in records, as text."""
    if isinstance(found, dict):
        return {each for value in found.values() for each in values_in(value)}
    if isinstance(found, list):
        return {each for value in found for each in values_in(value)}
    return {str(found)}
