"""Keeps the businesses of the user in the state of `businesses`.

An idle account shall cost no request, not even the one that asks who we are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_freshbooks.businesses import Business, fits_path
from tap_freshbooks.timestamps import parse_timestamp, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tap_freshbooks.extraction.reading_times import ReadingTimes

MEMBERS = "members"
READ_AT = "members_read_at"


def restore(state: Mapping[str, Any], times: ReadingTimes) -> list[Business] | None:
    """The businesses that a state has kept; None if none can be read, or if they are too old.

    Args:
        state: Of the stream `businesses`.
        times: Says how old they may be.
    """
    if not times.is_recent(parse_timestamp(state.get(READ_AT)), times.poll_interval):
        return None
    try:
        found = msgspec.convert(state.get(MEMBERS), list[Business])
    except msgspec.ValidationError:  # the user may put anything into a state
        return None
    texts = (text for each in found for text in (each.account_id, each.business_uuid))
    if not all(text is None or fits_path(text) for text in texts):
        return None
    return None if all(each.is_client_only for each in found) else found


def keep(state: dict[str, Any], businesses: Iterable[Business], now: datetime) -> None:
    """Put the businesses into a state, for the next sync."""
    state[MEMBERS] = [
        {
            **{name: getattr(business, name) for name in Business.__slots__},
            "accounting_roles": sorted(business.accounting_roles),
            "unusable": list(business.unusable),
        }
        for business in businesses
    ]
    state[READ_AT] = utc_text(now)
