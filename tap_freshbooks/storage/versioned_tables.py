"""Tables that carry a version, and the way from one version to the next.

Components that share a database have a row each in one small table of versions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from tap_freshbooks.storage.database import TableVersionError

if TYPE_CHECKING:
    from tap_freshbooks.storage.database import Database

Migration = Callable[[sa.Connection], None]
"""Changes the tables from one version to the next, within a transaction.

It names tables and columns in SQL of its own: the declarations in Python are of the newest version.
"""

VERSIONS = sa.Table(
    "tap_freshbooks_schema",
    sa.MetaData(),
    sa.Column("component", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

FIRST_VERSION = 1
"""Of tables without a row in the table of versions: they are older than it."""

MIGRATION_LOCK = 6_417_002
"""The advisory lock of PostgreSQL that is held while tables are made or migrated."""


INSUFFICIENT_PRIVILEGE = "42501"
"""The SQLSTATE of PostgreSQL for a statement that the user may not execute."""


class VersionedTables:
    """The tables of one component.

    Args:
        component: Its name in the table of versions.
        declared: Its tables, as they are in the newest version.
        migrations: One for each earlier version, which leads to the next, the oldest first.
    """

    def __init__(
        self, component: str, declared: sa.MetaData, migrations: Sequence[Migration] = ()
    ) -> None:
        self.component = component
        self.declared = declared
        self.migrations = migrations

    @property
    def version(self) -> int:
        """The newest version, which this program reads and writes."""
        return FIRST_VERSION + len(self.migrations)

    def find_version(self, connection: sa.Connection) -> int | None:
        """The version of the tables in a database, None if there are none.

        Raises:
            TableVersionError: If it is one that this program does not know.
        """
        recorded = self._recorded_version(connection)
        if not self._present(connection):  # not yet, or not any more
            return None
        return FIRST_VERSION if recorded is None else recorded

    def is_open(self, connection: sa.Connection) -> bool:
        """Whether all tables are there, in the newest version.

        Raises:
            TableVersionError: If they are of a version that this program does not know.
        """
        is_newest = self._recorded_version(connection) == self.version
        return is_newest and self._is_whole(connection)

    def open(self, connection: sa.Connection, database: Database, lock_timeout: float) -> None:
        """Bring the tables to the newest version: make, migrate or record them where needed.

        Any number of processes may do so at once: one works, the others wait and find it done.
        A user who may not create tables can use those that need nothing but the record.

        Args:
            connection: Outside of a transaction, as it is afterwards.
            database: Where it leads.
            lock_timeout: Seconds to wait for another process.

        Raises:
            TableVersionError: If they are of a version that this program does not know.
        """
        try:
            if not self.is_open(connection):
                connection.rollback()
                database.begin_exclusive(connection, MIGRATION_LOCK, lock_timeout)
                self._migrate(connection)
                connection.commit()
        except ProgrammingError as error:
            connection.rollback()
            if not (_is_forbidden(error) and self._is_newest_unrecorded(connection)):
                raise
        finally:
            connection.rollback()

    def _is_newest_unrecorded(self, connection: sa.Connection) -> bool:
        unrecorded = self._recorded_version(connection) is None
        return unrecorded and self.version == FIRST_VERSION and self._is_whole(connection)

    def _is_whole(self, connection: sa.Connection) -> bool:
        return self._present(connection) == set(self.declared.tables)

    def _migrate(self, connection: sa.Connection) -> None:
        VERSIONS.create(connection, checkfirst=True)
        found = self.find_version(connection)
        if found is not None:
            for migrate in self.migrations[found - FIRST_VERSION :]:
                migrate(connection)
        self.declared.create_all(connection)  # those that are missing
        connection.execute(VERSIONS.delete().filter_by(component=self.component))
        row = {"component": self.component, "version": self.version}
        connection.execute(VERSIONS.insert().values(row))

    def _present(self, connection: sa.Connection) -> set[str]:
        """Those of the declared tables that are there."""
        inspector = sa.inspect(connection)
        return {name for name in self.declared.tables if inspector.has_table(name)}

    def _recorded_version(self, connection: sa.Connection) -> int | None:
        if not sa.inspect(connection).has_table(VERSIONS.name):
            return None
        query = sa.select(VERSIONS.c.version).filter_by(component=self.component)
        recorded: int | None = connection.scalar(query)
        if recorded is None:
            return None
        if not isinstance(recorded, int) or recorded < FIRST_VERSION:  # SQLite stores any type
            raise TableVersionError(
                f"has no known version in the row {self.component!r} of its table {VERSIONS.name} "
                f"(it says {recorded!r}, the first version is {FIRST_VERSION}): correct that row, "
                "or restore the database"
            )
        if recorded > self.version:
            raise TableVersionError(
                f"has tables of version {recorded}, and this tap-freshbooks knows them up to "
                f"version {self.version} only: upgrade tap-freshbooks on this machine"
            )
        return recorded


def _is_forbidden(error: ProgrammingError) -> bool:
    return getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE
