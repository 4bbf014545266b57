"""The checks, those that need no request of their own first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.doctor.checks import (
    fields,
    filters,
    lists,
    order,
    paging,
    refusals,
    service,
    tokens,
    zones,
)

if TYPE_CHECKING:
    from tap_freshbooks.doctor.checks.base import Check

CHECKS: tuple[Check, ...] = (
    lists.Envelope(),
    lists.PageMetadata(),
    lists.Totals(),
    lists.Keys(),
    lists.SmallPages(),
    fields.RowFields(),
    fields.RowKinds(),
    fields.EnumWords(),
    filters.Includes(),
    service.RateLimitHeaders(),
    order.OldestFirst(),
    zones.UtcStamps(),
    refusals.Scopes(),
    refusals.MissingScope(),
    refusals.AccountingMissingScope(),
    lists.PageCap(),
    lists.PerPageEcho(),
    filters.UpdatedFilter(),
    filters.DeletedFilter(),
    order.SortIgnored(),
    zones.UpdatedDayZone(),
    paging.PastTheEnd(),
    paging.BadPage(),
    paging.TeamMembersPerPage(),
    paging.TimeEntriesDefault(),
    paging.DefaultPerPage(),
    refusals.AccountingErrors(),
    tokens.SideUnauthenticated(),
    tokens.Total(),
    tokens.OldAccessToken(),
    tokens.RefreshCreatedAt(),
)
