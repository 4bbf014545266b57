"""Benchmarks: what a record costs, against peers and against the floor (docs/benchmarks.md)."""

from __future__ import annotations
