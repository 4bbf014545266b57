"""The sub-commands: one module each, with its options and its output."""

from __future__ import annotations
