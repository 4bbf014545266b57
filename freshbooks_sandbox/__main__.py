"""`python -m freshbooks_sandbox`."""

from __future__ import annotations

from freshbooks_sandbox.command import sandbox

sandbox()
