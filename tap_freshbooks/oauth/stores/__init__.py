"""Where tokens live: a file, a database, a place of last resort."""

from __future__ import annotations
