"""Empty databases of both kinds, and tables as earlier versions made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from demo.pipeline import Postgres

VERSION_1 = Path(__file__).with_name("version_1.sql")
SQLITE_SPELLING = {
    "BIGSERIAL PRIMARY KEY": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
    "DOUBLE PRECISION": "DOUBLE",
}


def empty_schema(server: Postgres, name: str) -> str:
    """The URL of a schema of its own on the server that all tests share."""
    with server.connect() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server.url()}&options=-csearch_path%3D{name}"


def without_create(server: Postgres, url: str) -> str:
    """The URL of the same schema for a user who may use its tables, and create none."""
    schema, user = url.rpartition("%3D")[2], "may_create_nothing"
    with server.connect() as connection:
        connection.execute(
            f"DO $$ BEGIN CREATE ROLE {user} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
        )
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {user}")
        for kind in ("TABLES", "SEQUENCES"):
            connection.execute(f"GRANT ALL ON ALL {kind} IN SCHEMA {schema} TO {user}")
    return url.replace("//postgres@", f"//{user}@", 1)


def execute(url: str, *statements: str) -> None:
    """Run statements, in one transaction."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return rows


def make_version_1(url: str) -> None:
    """All tables of the first version, which did not carry it."""
    text = VERSION_1.read_text(encoding="utf-8")
    if url.startswith("sqlite"):
        for there, here in SQLITE_SPELLING.items():
            text = text.replace(there, here)
    execute(url, *(each for each in text.split(";") if each.strip()))


def columns(url: str) -> dict[str, dict[str, Any]]:
    """The columns, their types and the primary keys of all tables, by name."""
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    found = {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            },
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "indexes": {
                str(index["name"]): index["column_names"] for index in inspector.get_indexes(table)
            },
        }
        for table in inspector.get_table_names()
    }
    engine.dispose()
    return found
