"""Reading lists: pages, the proof that they are whole, prefetching."""

from __future__ import annotations
