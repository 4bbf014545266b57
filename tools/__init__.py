"""Writers of pages of the documentation."""

from __future__ import annotations
