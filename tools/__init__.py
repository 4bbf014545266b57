"""Generators of pages of the documentation; `make docs` runs them."""

from __future__ import annotations
