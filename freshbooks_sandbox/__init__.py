"""A faithful stand-in of the FreshBooks API, over real HTTP, for development, tests and shows.

It is a reading of the API of its own and imports nothing from the rest of the package.
"""

from __future__ import annotations

from freshbooks_sandbox.server import Sandbox, SandboxError

__all__ = ["Sandbox", "SandboxError"]
