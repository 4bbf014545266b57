"""Callbacks at FreshBooks: registered, verified, watched."""

from __future__ import annotations
