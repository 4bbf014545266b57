"""The streams: their engine here, what FreshBooks has in `resources`."""

from __future__ import annotations
