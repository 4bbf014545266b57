"""`tap-freshbooks login`: the OAuth authorization code flow, at the terminal or on a page."""

from __future__ import annotations
