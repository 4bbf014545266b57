"""Loads the mapping files of the package, and merges those of the user into them.

`mappings/common.yaml` has the columns that every stream begins and ends with.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.input_files import read_file
from tap_freshbooks.unified import expression_syntax
from tap_freshbooks.unified.column_types import SCHEMAS
from tap_freshbooks.unified.mapping import VERSION, Column, EntityMapping
from tap_freshbooks.unified.mapping_files import (
    MappingError,
    check_column,
    expression_in,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTECTED_COLUMNS = frozenset({"company_id", "id", "remote_id", "remote_stream", "remote_data"}) | {
    "mapping_version"
}
"""Columns that hold the model together; they cannot be overridden."""

COMMON = "common.yaml"


def load(folder: str | None = None) -> dict[str, EntityMapping]:
    """All mappings, by stream.

    Args:
        folder: With files of the user, which change those of the package.

    Raises:
        SettingsError: If a file of the user makes no sense; it names file, field and reason.
    """
    mappings = dict(_built_in())
    for file in _files(folder) if folder else ():
        try:
            text = read_file(file).decode()
            for document in parse(text):
                mapping = _merged(mappings, document, file.name, text)
                mappings[mapping.stream] = mapping
        except MappingError as error:
            raise SettingsError(f"unified_mappings, {file.name}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise SettingsError(
                f"unified_mappings, {file.name}: cannot be read, {reason}"
            ) from None
    return mappings


def _check_never_null(column: Column) -> None:
    """A required column of the user has a value whatever FreshBooks sends.

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
    path = Path(folder)
    with contextlib.suppress(RuntimeError):  # there is no home
        path = path.expanduser()
    try:
        if not path.is_dir():
            raise SettingsError(f"unified_mappings: {folder} is no folder")
        files = sorted(each for each in path.iterdir() if each.suffix in {".yaml", ".yml"})
    except OSError as error:
        reason = error.strerror or "it is no path"
        raise SettingsError(f"unified_mappings: its folder cannot be read, {reason}") from None
    if not files:
        raise SettingsError(f"unified_mappings: {folder} has no .yaml file")
    return files


@cache
def _built_in() -> Mapping[str, EntityMapping]:
    folder = resources.files(__package__).joinpath("mappings")
    [common] = parse(folder.joinpath(COMMON).read_text(encoding="utf-8"))
    mappings = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml") and file.name != COMMON:
            for document in parse(file.read_text(encoding="utf-8")):
                mapping = _mapping(document, common, file.name)
                mappings[mapping.stream] = mapping
    return mappings


def _mapping(document: dict[str, Any], common: dict[str, Any], file: str) -> EntityMapping:
    sources = tuple(document.get("sources") or [document["source"]])
    before, after = common["columns"], document["columns"]
    # The common file describes the common columns; a stream's own file fills them.
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
            name: value for name, value in common.items() if name not in expression_syntax.KEYWORDS
        }
    return {**common, **part}


def _column(
    name: str, part: dict[str, Any], sources: tuple[str, ...], file: str, known: Column | None
) -> Column:
    """A column of a file.

    Args:
        name: Its name.
        part: Its description in the file.
        sources: The native streams of its stream.
        file: Name of the file.
        known: The column so far, of which the file changes parts; None for a new one.

    Raises:
        MappingError: If that makes no sense.
    """
    check_column(name, part)
    column_type = part.get("type", known.type if known else None)
    if column_type not in SCHEMAS:
        raise MappingError(f"{name}: its type {column_type!r} is none of {', '.join(SCHEMAS)}")
    if known and column_type != known.type:
        raise MappingError(f"{name}: its type is {known.type}, and stays so")
    expressions = dict(known.expressions) if known else {}
    for source, expression in _by_source(name, part, sources).items():
        expressions[source] = expression_syntax.merged(expressions.get(source), expression)
    return Column(
        name,
        column_type,
        str(part.get("description", known.description if known else "")),
        bool(part.get("required", known.required if known else False)),
        tuple(part.get("enum", known.enum if known else ())),
        {source: expression for source, expression in expressions.items() if expression},
        file,
    )


def _by_source(name: str, part: dict[str, Any], sources: tuple[str, ...]) -> dict[str, Any]:
    expression = expression_in(part)
    by_source = part.get("from")
    if by_source is None:
        return dict.fromkeys(sources, expression) if expression else {}
    if expression:
        raise MappingError(f"{name}: an expression stands beside `from` or in it, not both")
    if unknown := by_source.keys() - set(sources):
        names = ", ".join(sources)
        raise MappingError(f"{name}: `from` names {', '.join(map(str, unknown))}, not of {names}")
    for source, each in by_source.items():
        if each is not None and not isinstance(each, dict):
            by_source = {**by_source, source: {"path": each}}
    return by_source


def _merged(
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
        if name in PROTECTED_COLUMNS:
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
