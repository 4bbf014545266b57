"""Requests and their answers: sending, pacing, retrying, what an answer means."""

from __future__ import annotations
