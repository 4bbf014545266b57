"""The reports, computed from what the businesses hold: each is declared in a module here."""

from __future__ import annotations

from freshbooks_sandbox.declarations import declared
from freshbooks_sandbox.view import View

REPORTS = declared(__name__, View)
