"""The tables of a token store in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from tap_freshbooks.storage.versioned_tables import VersionedTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Notes(sa.TypeDecorator[Any]):
    """JSON that somebody may have damaged by hand, as SQLite lets everybody: that is no note.

    One bad row must not hide the connections in all others.
    """

    impl = sa.JSON
    cache_ok = True

    @override
    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any] | None:
        process = super().result_processor(dialect, coltype)
        if process is None:  # PostgreSQL keeps no damaged JSON, and psycopg reads it
            return None

        def read(stored: Any) -> Any:
            try:
                return process(stored)
            except (ValueError, TypeError, RecursionError):
                return None

        return read


DECLARED = sa.MetaData()

TOKENS = sa.Table(
    "tap_freshbooks_tokens",
    DECLARED,
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("refresh_token", sa.Text),
    sa.Column("access_token", sa.Text),
    sa.Column("expires_at", sa.Double),
    sa.Column("token_generation", sa.Integer),
    sa.Column("token_client", sa.Text),
    sa.Column("token_seed", sa.Text),
    sa.Column("token_seeds_replaced", Notes(none_as_null=True)),
    sa.Column("token_refreshed_at", sa.Double),
    sa.Column("token_spending", Notes(none_as_null=True)),
    sa.Column("token_rejections", Notes(none_as_null=True)),
    sa.Column("token_owner", Notes(none_as_null=True)),
    sa.Column("token_held_back", Notes(none_as_null=True)),
)

SUCCESSES = sa.Table(
    "tap_freshbooks_successes",
    DECLARED,
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("succeeded_at", sa.Double, nullable=False),
)
"""When syncs have read streams to their end: apart from the tokens, whose row may be locked."""

_INSERT = postgresql.insert(SUCCESSES)

NOTE_SUCCESS = _INSERT.on_conflict_do_update(
    index_elements=list(SUCCESSES.primary_key),
    set_={"succeeded_at": _INSERT.excluded.succeeded_at},
)
"""SQLAlchemy has this clause in the dialects' own inserts only; the SQL of SQLite is the same."""


def stored_rows(
    connection: sa.Connection, key: dict[str, str]
) -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
    """Rows of tokens, each with the moment at which a sync has last read each stream.

    Args:
        connection: To a database whose tables are of the newest version.
        key: What the key of the rows has in these columns.
    """
    successes: dict[tuple[str, str], dict[str, float]] = {}
    for row in connection.execute(sa.select(SUCCESSES).filter_by(**key)):
        if isinstance(row.succeeded_at, float):
            moments = successes.setdefault((row.client_id, row.connection), {})
            moments[row.stream] = row.succeeded_at
    query = sa.select(TOKENS).filter_by(**key).order_by(*TOKENS.primary_key)
    for found in connection.execute(query).mappings():
        yield dict(found), successes.get((found["client_id"], found["connection"]), {})


def _add_owner(connection: sa.Connection) -> None:
    """Version 2: a store knows whose tokens it holds; the other table is new as a whole."""
    for column in ("token_owner", "token_held_back"):
        connection.exec_driver_sql(f"ALTER TABLE tap_freshbooks_tokens ADD COLUMN {column} JSON")


TABLES = VersionedTables("token_store", DECLARED, [_add_owner])
"""A new version gets a function here that leads to it from the one before."""
