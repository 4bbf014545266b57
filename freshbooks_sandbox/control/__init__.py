"""Control of a running sandbox: paths below /_sandbox, and a handle for them."""

from __future__ import annotations
