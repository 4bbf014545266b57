"""Reads mapping files, lays a user's over ours, and checks what comes of it.

`mappings/common.yaml` has the columns that every stream begins and ends with.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.unified import expression_syntax
from tap_freshbooks.unified.column_types import SCHEMAS
from tap_freshbooks.unified.mapping_files import (
    MappingError,
    check_column,
    documents,
    expression_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = "1"
"""Changes when a rule of ours changes, so that a row can change without its stamp."""

OURS = frozenset({"company_id", "id", "remote_id", "remote_stream", "remote_data"}) | {
    "mapping_version"
}
"""Columns that hold the model together; they cannot be overridden."""

COMMON = "common.yaml"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: What it is called.
        type: A key of `SCHEMAS`.
        description: What it means.
        required: Whether it is never null.
        enum: The words that it may have, if it has few.
        expressions: How it is filled, by native stream; a source without one leaves it null.
        file: Where it stands; the user's, if that has a say in it.
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
        description: What a row is.
        sources: Native streams that it is made of.
        where: Path that says which of their rows it has; None for all.
        columns: In the order of the table.
        files: Names of the files that it comes from; the user's, if there are any.
        version: What `mapping_version` says.
    """

    stream: str
    description: str
    sources: tuple[str, ...]
    where: str | None
    columns: Mapping[str, Column]
    files: tuple[str, ...]
    version: str = VERSION

    def in_order(self, source: str) -> list[Column]:
        """The columns, each after those that it looks at.

        Raises:
            MappingError: If there is no such order.
        """
        looks_at = {}
        for name, column in self.columns.items():
            looks_at[name] = expression_syntax.needs(column.expressions.get(source, {}))
            if unknown := looks_at[name] - self.columns.keys():
                names = ", ".join(sorted(unknown))
                raise MappingError(f"{name}: there is no column {names}", column.file)
        try:
            return [self.columns[name] for name in TopologicalSorter(looks_at).static_order()]
        except CycleError as error:
            raise MappingError(
                f"{' and '.join(dict.fromkeys(error.args[1]))} need each other"
            ) from None


def load(folder: str | None = None) -> dict[str, EntityMapping]:
    """All mappings, by stream.

    Args:
        folder: Files of the user's to lay over ours.

    Raises:
        SettingsError: If a file of the user's makes no sense; it names file, field and reason.
    """
    mappings = dict(_ours())
    for file in _files(folder) if folder else ():
        try:
            text = file.read_text(encoding="utf-8")
            for document in documents(text):
                mapping = _laid_over(mappings, document, file.name, text)
                mappings[mapping.stream] = mapping
        except MappingError as mistake:
            raise SettingsError(f"unified_mappings, {file.name}: {mistake}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise SettingsError(
                f"unified_mappings, {file.name}: cannot be read, {reason}"
            ) from None
    return mappings


@dataclass(frozen=True, slots=True)
class Link:
    """A column that holds ids of another stream's rows.

    Attributes:
        stream: The unified stream with the column.
        column: Its name.
        native: The native stream that the ids name.
        target: The unified stream that has these ids; None if there is only the native one.
    """

    stream: str
    column: str
    native: str
    target: str | None


def links(mappings: Mapping[str, EntityMapping]) -> Iterator[Link]:
    """How the streams hang together, as their mappings say."""
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


def _check_never_null(column: Column) -> None:
    """A column of a user's that is required has a value for whatever FreshBooks sends.

    Raises:
        MappingError: If it has not.
    """
    if column.type == "boolean" or "unknown" in column.enum:
        return
    for expression in column.expressions.values():
        if expression.get("const") is None and expression.get("else") is None:
            raise MappingError(
                f"{column.name}: it is never null, so its expression needs an `else`, or its enum "
                "the word unknown"
            )


def _files(folder: str) -> list[Path]:
    place = Path(folder)
    with contextlib.suppress(RuntimeError):  # there is no home
        place = place.expanduser()
    if not place.is_dir():
        raise SettingsError(f"unified_mappings: {folder} is no folder")
    files = sorted(each for each in place.iterdir() if each.suffix in {".yaml", ".yml"})
    if not files:
        raise SettingsError(f"unified_mappings: {folder} has no .yaml file")
    return files


@cache
def _ours() -> Mapping[str, EntityMapping]:
    folder = resources.files(__package__).joinpath("mappings")
    [common] = documents(folder.joinpath(COMMON).read_text(encoding="utf-8"))
    mappings = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml") and file.name != COMMON:
            for document in documents(file.read_text(encoding="utf-8")):
                mapping = _mapping(document, common, file.name)
                mappings[mapping.stream] = mapping
    return mappings


def _mapping(document: dict[str, Any], common: dict[str, Any], file: str) -> EntityMapping:
    sources = tuple(document.get("sources") or [document["source"]])
    before, after = common["columns"], document["columns"]
    # A stream says how the common columns are filled; what they are, the common file has said.
    definitions = {name: _filled(part, after.get(name, {})) for name, part in before.items()}
    definitions |= {name: part for name, part in after.items() if name not in before}
    columns = {name: _column(name, part, sources, file, None) for name, part in definitions.items()}
    return EntityMapping(
        document["stream"],
        document["description"],
        sources,
        document.get("where"),
        columns,
        (file,),
    )


def _filled(common: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if part.keys() & (expression_syntax.ORIGINS.keys() | {"from"}):
        common = {
            name: value for name, value in common.items() if name not in expression_syntax.WORDS
        }
    return {**common, **part}


def _column(
    name: str, part: dict[str, Any], sources: tuple[str, ...], file: str, known: Column | None
) -> Column:
    """A column of a file.

    Args:
        name: What it is called.
        part: What the file says of it.
        sources: The native streams of its stream.
        file: The file.
        known: What is known of it already; the file changes parts of it.

    Raises:
        MappingError: If that makes no sense.
    """
    check_column(name, part)
    kind = part.get("type", known.type if known else None)
    if kind not in SCHEMAS:
        raise MappingError(f"{name}: its type {kind!r} is none of {', '.join(SCHEMAS)}")
    if known and kind != known.type:
        raise MappingError(f"{name}: its type is {known.type}, and stays so")
    expressions = dict(known.expressions) if known else {}
    for source, expression in _by_source(name, part, sources).items():
        expressions[source] = expression_syntax.laid_over(expressions.get(source), expression)
    return Column(
        name,
        kind,
        str(part.get("description", known.description if known else "")),
        bool(part.get("required", known.required if known else False)),
        tuple(part.get("enum", known.enum if known else ())),
        {source: expression for source, expression in expressions.items() if expression},
        file,
    )


def _by_source(name: str, part: dict[str, Any], sources: tuple[str, ...]) -> dict[str, Any]:
    expression = expression_in(part)
    given = part.get("from")
    if given is None:
        return dict.fromkeys(sources, expression) if expression else {}
    if expression:
        raise MappingError(f"{name}: an expression stands beside `from` or in it, not both")
    if unknown := given.keys() - set(sources):
        names = ", ".join(sources)
        raise MappingError(f"{name}: `from` names {', '.join(map(str, unknown))}, not of {names}")
    for source, each in given.items():
        if each is not None and not isinstance(each, dict):
            given = {**given, source: {"path": each}}
    return given


def _laid_over(
    mappings: Mapping[str, EntityMapping], document: dict[str, Any], file: str, text: str
) -> EntityMapping:
    stream = str(document.get("stream"))
    if stream not in mappings:
        raise MappingError(f"there is no stream {stream}; there are {', '.join(mappings)}")
    mapping = mappings[stream]
    for name in ("source", "sources"):
        if name in document:
            raise MappingError(f"{name}: the source of a stream cannot be changed")
    columns = dict(mapping.columns)
    for name, part in (document.get("columns") or {}).items():
        if name in OURS:
            raise MappingError(
                f"{name}: this column holds the model together and cannot be changed"
            )
        known = columns.get(name)
        column = columns[name] = _column(name, part, mapping.sources, file, known)
        if known and known.required and not column.required:
            raise MappingError(f"{name}: it is required, and stays so")
        if known and set(known.enum) - set(column.enum):
            raise MappingError(f"{name}: its enum can have more words, not others")
        if column.required and (not known or column.expressions != known.expressions):
            _check_never_null(column)
    digest = hashlib.sha256(f"{mapping.version} {text}".encode()).hexdigest()[:8]
    return replace(
        mapping,
        where=document.get("where", mapping.where),
        description=document.get("description", mapping.description),
        columns=columns,
        files=(file,) if mapping.version == VERSION else (*mapping.files, file),
        version=f"{VERSION}-{digest}",
    )
