"""The demo behind `make demo`; its parts also serve the tests of the pipeline."""

from __future__ import annotations
