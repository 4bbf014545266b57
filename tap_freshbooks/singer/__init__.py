"""Singer: messages, record filter, statistics, progress, and the private side of the SDK."""

from __future__ import annotations
