"""Writing Singer messages, and counting and showing what is written."""

from __future__ import annotations
