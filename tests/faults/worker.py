"""What every process of these tests has imported before it is forked, and how it begins."""

from __future__ import annotations

# A process that has given up its rights may not be able to read modules any more.
import encodings.idna
import encodings.utf_8_sig  # noqa: F401
import random
from typing import TYPE_CHECKING

import psycopg  # noqa: F401
import pytest
import requests  # noqa: F401

from tap_freshbooks.oauth import authenticator, owner_question  # noqa: F401
from tap_freshbooks.oauth.stores import fallback, sql  # noqa: F401
from tap_freshbooks.storage import database

if TYPE_CHECKING:
    from tests.faults.account import Client


def begin(client: Client) -> pytest.MonkeyPatch:
    """Look for rescue files in the folder of the test, and wait hundredths of seconds."""
    patch = pytest.MonkeyPatch()
    patch.setattr(fallback, "fallback_folders", lambda: iter([client.rescue]))
    patch.setattr(database, "RETRY_TIMEOUT", 0.2)
    patch.setattr(random, "uniform", lambda low, high: low + (high - low) / 1000)
    return patch
