"""What a sync makes of the events in the inbox."""

from __future__ import annotations
