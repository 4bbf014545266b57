"""Endpoints that the tap does not know, as streams that a user defines."""

from __future__ import annotations
