"""Callbacks at FreshBooks: registered, verified, checked."""

from __future__ import annotations
