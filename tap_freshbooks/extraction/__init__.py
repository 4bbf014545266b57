"""Reading lists: endpoint, pages, the proof that they are complete, prefetching, read plans."""

from __future__ import annotations
