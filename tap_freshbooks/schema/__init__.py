"""Field types: a JSON schema and a conversion from one declaration."""

from __future__ import annotations
