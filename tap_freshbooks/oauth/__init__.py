"""OAuth 2.0: token pairs, where they are stored, and how they are refreshed and never lost."""

from __future__ import annotations
