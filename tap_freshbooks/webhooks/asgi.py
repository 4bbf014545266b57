"""The address of the receiver for any ASGI server: `tap_freshbooks.webhooks.asgi:app`."""

from __future__ import annotations

from tap_freshbooks.webhooks.server.asgi import app

__all__ = ["app"]
