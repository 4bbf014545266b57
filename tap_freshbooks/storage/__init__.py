"""Durable storage: databases and JSON files."""

from __future__ import annotations
