"""A Singer tap for FreshBooks."""

from __future__ import annotations
