"""Families of endpoints: what their lists and answers have in common."""

from __future__ import annotations
