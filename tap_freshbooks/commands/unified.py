"""`tap-freshbooks unified`: shows the mappings of the unified model, the user's files merged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import yaml

from tap_freshbooks.commands.options import config_option, make_tap
from tap_freshbooks.errors import SettingsError
from tap_freshbooks.unified.streams import UnifiedStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_freshbooks.config.settings import Settings
    from tap_freshbooks.unified.mapping import Column, EntityMapping


@click.command(
    help="Show how the columns of unified streams (all, if none is named) are filled, what the "
    "files of unified_mappings change included. docs/unified.md explains the form."
)
@click.argument("streams", nargs=-1)
@config_option
def unified(streams: Sequence[str], settings: Settings) -> None:
    """Print mappings in the form of mapping files."""
    tap = make_tap(settings)
    known = {
        name: stream.mapping
        for name, stream in tap.streams.items()
        if isinstance(stream, UnifiedStream)
    }
    for name in streams:
        if name not in known:
            raise SettingsError(f"there is no unified stream {name}; there are {', '.join(known)}")
    documents = [_document(known[name]) for name in streams or known]
    click.echo("---\n".join(documents), nl=False)


def _document(mapping: EntityMapping) -> str:
    sources = list(mapping.sources)
    document = {
        "stream": mapping.stream,
        "description": mapping.description,
        **({"sources": sources} if len(sources) > 1 else {"source": sources[0]}),
        **({"where": mapping.where} if mapping.where else {}),
        "columns": {
            name: dict(_column(column, sources)) for name, column in mapping.columns.items()
        },
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return f"# {', '.join(mapping.files)}; mapping_version {mapping.version}\n{text}"


def _column(column: Column, sources: list[str]) -> Iterator[tuple[str, Any]]:
    yield "type", column.type
    if column.required:
        yield "required", True
    if column.enum:
        yield "enum", list(column.enum)
    yield "description", column.description
    expressions = dict(column.expressions)
    first = next(iter(expressions.values()), {})
    if len(expressions) == len(sources) and all(each == first for each in expressions.values()):
        yield from first.items()
    elif expressions:
        yield "from", expressions
