"""The settings: their schema, and how they are read."""

from __future__ import annotations
