"""Plans, by the events in the inbox, what a sync reads."""

from __future__ import annotations
