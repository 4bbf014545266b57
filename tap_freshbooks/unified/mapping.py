"""The mapping of a unified stream: its columns, their order of filling, its links to others."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from tap_freshbooks.unified import expression_syntax
from tap_freshbooks.unified.mapping_files import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = "1"
"""Changes when a rule of our mappings changes, as rows then change without a new timestamp."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        type: A key of `SCHEMAS`.
        description: For the catalog.
        required: True if it is never null.
        enum: The values that it may have; empty if any.
        expressions: By native stream, from what it is filled; a source without one leaves it null.
        file: Name of the file that describes it; the user's, if that changes it.
    """

    name: str
    type: str
    description: str
    required: bool
    enum: tuple[str, ...]
    expressions: Mapping[str, expression_syntax.Expression]
    file: str


@dataclass(frozen=True, slots=True)
class EntityMapping:
    """One unified stream.

    Attributes:
        stream: Its name.
        description: For the catalog.
        sources: Native streams that it is made of.
        where: Path that is true in the records that become rows; None for all.
        columns: In the order of the table.
        files: Names of the files that it comes from; the user's, if there are any.
        version: Value of the column `mapping_version`.
    """

    stream: str
    description: str
    sources: tuple[str, ...]
    where: str | None
    columns: Mapping[str, Column]
    files: tuple[str, ...]
    version: str = VERSION

    def in_order(self, source: str) -> list[Column]:
        """The columns, each after those that it reads.

        Raises:
            MappingError: If there is no such order.
        """
        reads = {}
        for name, column in self.columns.items():
            reads[name] = expression_syntax.columns_used(column.expressions.get(source, {}))
            if unknown := reads[name] - self.columns.keys():
                names = ", ".join(sorted(unknown))
                raise MappingError(f"{name}: there is no column {names}", column.file)
        try:
            return [self.columns[name] for name in TopologicalSorter(reads).static_order()]
        except CycleError as error:
            raise MappingError(
                f"{' and '.join(dict.fromkeys(error.args[1]))} need each other"
            ) from None


@dataclass(frozen=True, slots=True)
class Link:
    """A column that holds ids of another stream's rows.

    Attributes:
        stream: The unified stream with the column.
        column: Name of the column.
        native: The native stream that the ids name.
        target: The unified stream that has these ids; None if there is only the native one.
    """

    stream: str
    column: str
    native: str
    target: str | None


def links(mappings: Mapping[str, EntityMapping]) -> Iterator[Link]:
    """The links between streams, as their mappings say."""
    targets = {}
    for mapping in mappings.values():
        for expression in mapping.columns["id"].expressions.values():
            native, *keys = expression["ref"]
            if len(keys) == 1:  # else it is a part of that stream's rows
                targets[native] = mapping.stream
    for mapping in mappings.values():
        for column in mapping.columns.values():
            natives = [
                each["ref"][0]
                for expression in column.expressions.values()
                for each in expression_syntax.walk(expression)
                if isinstance(each, dict) and "ref" in each
            ]
            if column.name != "id":
                for native in dict.fromkeys(natives):
                    yield Link(mapping.stream, column.name, native, targets.get(native))
