"""The server that receives deliveries."""

from __future__ import annotations
