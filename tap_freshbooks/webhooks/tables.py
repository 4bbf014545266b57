"""The tables of the webhook inbox, which receivers and syncs share."""

from __future__ import annotations

import sqlalchemy as sa

from tap_freshbooks.storage.versioned_tables import VersionedTables

META = sa.MetaData()

INBOX = sa.Table(
    "tap_freshbooks_inbox",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False, default=1),  # see TABLES
    sa.Column("pruned_to", sa.BigInteger, nullable=False, default=0),
)

EVENTS = sa.Table(
    "tap_freshbooks_inbox_events",
    META,
    sa.Column(
        "position",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("business_id", sa.Text),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Index("tap_freshbooks_inbox_events_by_noun", "account_id", "noun", "position"),
    sqlite_autoincrement=True,  # the number of a pruned entry is never given again
)

CALLBACKS = sa.Table(
    "tap_freshbooks_callbacks",
    META,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("callbackid", sa.BigInteger),
    sa.Column("verified", sa.Boolean, nullable=False, default=False),
    sa.Column("verified_at", sa.Double),
    sa.Column("checked_at", sa.Double),
    sa.Column("asked_at", sa.Double),
    sa.Column("last_event_at", sa.Double),
    sa.Column("events", sa.BigInteger, nullable=False, default=0),
)

VERIFIERS = sa.Table(
    "tap_freshbooks_verifiers",
    META,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("verifier", sa.Text, primary_key=True),
    sa.Column("callbackid", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("accepted_at", sa.Double),
    sa.Column("is_pending", sa.Boolean, nullable=False),
)

RECEIVERS = sa.Table(
    "tap_freshbooks_receivers",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),
)

MISSES = sa.Table(
    "tap_freshbooks_misses",
    META,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("noun", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("found_at", sa.Double, nullable=False),
)

FETCHES = sa.Table(
    "tap_freshbooks_looks",
    META,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("scope_id", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("looked_at", sa.Double, nullable=False),
)

TABLES = VersionedTables("webhook_inbox", META)
"""Their version is in a table of its own: the column of `INBOX` is older, and always says 1.

A new version gets a function here that leads to it from the one before.
"""
