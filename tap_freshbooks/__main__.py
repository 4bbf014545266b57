"""`python -m tap_freshbooks`."""

from __future__ import annotations

from tap_freshbooks.cli import main

main()
