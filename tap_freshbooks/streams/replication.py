"""Replication: the ways to find out what changed."""

from __future__ import annotations

from enum import StrEnum


class Replication(StrEnum):
    """How a stream finds out what changed; the value is the sentence of the catalog."""

    SERVER_FILTER = "Incremental: FreshBooks lists what changed"
    CLIENT_FILTER = "Incremental: every row is read, those that changed are delivered"
    FULL_TABLE = "Full table: nothing tells what changed"
    BY_PERIOD = "By period: closed periods are read once, the last ones again each time"
