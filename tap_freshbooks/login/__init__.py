"""`tap-freshbooks login`: the consent of a FreshBooks user becomes a connection that works."""

from __future__ import annotations
