"""The tables of a token store in a database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tap_freshbooks.storage.versioned_tables import VersionedTables

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
    sa.Column("token_seeds_replaced", sa.JSON(none_as_null=True)),
    sa.Column("token_refreshed_at", sa.Double),
    sa.Column("token_spending", sa.JSON(none_as_null=True)),
    sa.Column("token_rejections", sa.JSON(none_as_null=True)),
    sa.Column("token_owner", sa.JSON(none_as_null=True)),
    sa.Column("token_held_back", sa.JSON(none_as_null=True)),
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


def _add_owner(connection: sa.Connection) -> None:
    """Version 2: a store knows whose tokens it holds; the other table is new as a whole."""
    for column in ("token_owner", "token_held_back"):
        connection.exec_driver_sql(f"ALTER TABLE tap_freshbooks_tokens ADD COLUMN {column} JSON")


TABLES = VersionedTables("token_store", DECLARED, [_add_owner])
"""A new version gets a function here that leads to it from the one before."""
