"""Control of a running sandbox: the paths below /_sandbox."""

from __future__ import annotations
