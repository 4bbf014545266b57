"""Agreements: hourly rates, retainers, and the discussions of projects."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from freshbooks_sandbox.resources.retainers import month_after
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, HOUR, day_of, later, spread

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

FIRST_RETAINER, FIRST_THREAD, FIRST_PROMISE = 701, 4101, 51


def write_agreements(context: SeedContext) -> None:
    """Rates and threads everywhere, retainers where there are clients."""
    _write_rates(context)
    _write_retainers(context)
    _write_threads(context)


def _write_rates(context: SeedContext) -> None:
    """Five of eight services and three of the team; one service costs nothing."""
    business, random = context.business, context.random("rates")
    for position, key in enumerate(list(business.table("services"))[:5]):
        price = 0 if position == 3 else random.randrange(8, 40) * 5
        business.add("service_rates", {"service_id": key, "rate": f"{price}.00"}, "service_id")
    for position, member in enumerate(business.table("team_members").values()):
        rate = f"{random.randrange(8, 40) * 5}.00"
        if member["identity_id"] is not None and position < 3:
            identity_id = member["identity_id"]
            row = {"identity_id": identity_id, "rate": rate}
            business.add("team_member_rates", row, "identity_id")
        if member["identity_id"] is None:
            service = next(iter(business.table("services")))
            promise = {"id": FIRST_PROMISE + position, "rate": rate, "service_id": service}
            business.add("invitation_rates", promise)


def _write_retainers(context: SeedContext) -> None:
    """One to thirty invoices, at least three; the third has ended."""
    business, random = context.business, context.random("retainers")
    clients = [row for row in business.table("clients").values() if row["vis_state"] == 0]
    chosen = clients[1 : 1 + max(context.scale // 30, 3)]
    projects = list(business.table("projects").values())
    for position, moment in enumerate(spread(random, len(chosen), BEGIN, END - 90 * 24 * HOUR)):
        client = chosen[position]
        is_active = position % 3 != 2
        start = day_of(moment).replace(day=1)
        period = start
        while is_active and period <= day_of(END):
            period = month_after(period)
        rolled = _first_hours(period, random.randrange(3600)) if is_active else moment
        row = {
            "id": FIRST_RETAINER + position,
            "client_user_id": client["id"],
            "fee": f"{random.randrange(4, 40) * 50}.00",
            "excess_rate": None if position % 4 == 3 else f"{random.randrange(12, 30) * 5}.00",
            "budgeted_time": None if position % 5 == 4 else random.randrange(5, 40) * 3600,
            "start_date": start.isoformat(),
            "next_period_start_date": period.isoformat() if is_active else None,
            "active": is_active,
            "created_at": moment,
            "updated_at": max(moment, rolled) if is_active else later(random, moment, 80),
        }
        business.add("retainers", row)
        for project in projects:
            if is_active and project["client_id"] == client["id"] and project["rate"]:
                project["retainer_id"] = row["id"]


def _first_hours(period: date, seconds: int) -> int:
    """When the period before this one began, at night."""
    began = date(period.year - (period.month == 1), (period.month - 2) % 12 + 1, 1)
    days = (began - day_of(BEGIN)).days
    return BEGIN + (days * 24 + 5) * HOUR + seconds * HOUR // 3600


def _write_threads(context: SeedContext) -> None:
    """Up to two on a project."""
    fake = context.fakers("threads")["en_CA"]
    key = FIRST_THREAD
    for project in list(context.business.table("projects").values())[:40]:
        for _ in range(project["id"] % 3):
            row = {"id": key, "project_id": project["id"], "message": fake.sentence()}
            context.business.add("project_threads", row)
            key += 1
