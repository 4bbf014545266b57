"""HTTP: signing, throttling, sending and retrying requests; classifying responses."""

from __future__ import annotations
