"""Work: team, services, projects, and the time that went into them."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import SECOND
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, HOUR, day_of, later, spread

if TYPE_CHECKING:
    from random import Random

    from freshbooks_sandbox.seed_data.context import SeedContext
    from freshbooks_sandbox.store import Business

FIRST_SERVICE, FIRST_PROJECT, FIRST_ENTRY, FIRST_TIMER = 401, 2001, 20_001, 601
ROLES = ("business_manager", "business_employee", "contractor")


def write_work(context: SeedContext) -> None:
    """All that belongs to projects and time."""
    team = _write_team(context)
    _write_services(context)
    _write_projects(context)
    _write_entries(context, [member["identity_id"] for member in team if member["identity_id"]])


def _write_team(context: SeedContext) -> list[dict[str, Any]]:
    """The owner; with books also three who work, one who left, one who has not yet accepted."""
    business, fake = context.business, context.fakers("team")["en_CA"]
    owner = business.profile["owner"]
    business.profile["identity_id"] = owner.get("id", 4_000_000 + context.position)
    people = [(owner["first_name"], owner["last_name"], owner["email"], "owner")]
    if business.account_id is not None:
        for role in (*ROLES, "no_seat_employee", "business_employee"):
            first_name, last_name = fake.first_name(), fake.last_name()
            email = f"{first_name}.{last_name}@example.org".casefold()
            people.append((first_name, last_name, email, role))
    moments = spread(context.random("team"), len(people), BEGIN, END)
    for position, (first_name, last_name, email, role) in enumerate(people):
        is_invited = position == 5
        identity_id = business.profile["identity_id"] + position * 7
        created = BEGIN if position == 0 else moments[position]
        row = {
            "uuid": business.uuid_of("team_members", position),
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "country": "Canada" if position % 2 else None,
            "business_role_name": role,
            "active": position not in (4, 5),
            "identity_id": None if is_invited else identity_id,
            "_accepted": None if is_invited else created + HOUR,
            "created_at": created,
            "updated_at": created + HOUR,
        }
        business.add("team_members", row, "uuid")
    return list(business.table("team_members").values())


def _write_services(context: SeedContext) -> None:
    fake = context.fakers("services")["en_CA"]
    for position in range(8):
        context.business.add(
            "services",
            {
                "id": FIRST_SERVICE + position,
                "name": fake.bs().title(),
                "billable": position != 3,
                "project_default": position == 0,
                "vis_state": {6: 1, 7: 2}.get(position, 0),
            },
        )


def _write_projects(context: SeedContext) -> None:
    """One to six invoices; finished ones are archived, every eleventh is deleted."""
    random, fake = context.random("projects"), context.fakers("projects")["en_CA"]
    clients = list(context.business.table("clients").values())
    for position, moment in enumerate(spread(random, max(context.scale // 6, 8))):
        known = [client for client in clients[:400] if client["_signup"] < moment]
        client = random.choice(known) if known and position % 7 != 6 else None
        is_fixed = position % 5 == 4
        is_archived = moment < END - 400 * 24 * HOUR and random.random() < 0.5
        is_deleted = position % 11 == 5
        due = day_of(later(random, moment, 120))
        context.business.add(
            "projects",
            {
                "id": FIRST_PROJECT + position,
                "title": fake.catch_phrase(),
                "description": fake.sentence() if position % 3 == 0 else None,
                "due_date": due.isoformat() if position % 4 else None,
                "client_id": client["id"] if client else None,
                "internal": client is None,
                "budget": random.randrange(8, 80) * 3600 if position % 2 else None,
                "fixed_price": f"{random.randrange(5, 60) * 100}.00" if is_fixed else None,
                "rate": None if is_fixed else f"{random.randrange(8, 30) * 5}.00",
                "billing_method": None if is_fixed else "project_rate",
                "project_type": "fixed_price" if is_fixed else "hourly_rate",
                "active": not is_deleted,
                "complete": is_archived,
                "created_at": moment,
                "updated_at": later(random, moment, 30) if position % 3 else moment,
                "_services": tuple(FIRST_SERVICE + n for n in range(position % 4)),
            },
        )


def _write_entries(context: SeedContext, identities: list[int]) -> None:
    """Two to an invoice, most of them the owner's; a few are deleted, one timer is running."""
    business = context.business
    random, fake = context.random("time_entries"), context.fakers("time_entries")["en_CA"]
    notes = [None, "", *(fake.sentence() for _ in range(20))]
    projects = list(business.table("projects").values())
    projects_at = [project["created_at"] for project in projects]
    known = 0
    weights = [3, *[1] * (len(identities) - 1)]
    moments = spread(random, max(context.scale * 2, 10))
    for position, moment in enumerate(moments):
        while known < len(projects) and projects_at[known] < moment:
            known += 1
        project = projects[random.randrange(known)] if known and position % 10 else None
        # Started some time before it was written down.
        started = moment - random.randrange(1, 60) * HOUR // 2 // SECOND * SECOND
        entry = {
            "id": FIRST_ENTRY + position,
            "identity_id": random.choices(identities, weights)[0],
            "client_id": project["client_id"] if project else None,
            "project_id": project["id"] if project else None,
            "service_id": FIRST_SERVICE + random.randrange(6) if position % 3 else None,
            "note": random.choice(notes),
            "started_at": started - started % SECOND,
            "created_at": moment,
            "_updated": moment,
            "is_logged": True,
            "active": position % 17 != 9,
            "billed": False,
            "internal": project is None or project["internal"],
            "duration": random.randrange(1, 33) * 900,
        }
        if not entry["active"]:
            entry["_updated"] = later(random, moment, 15)
        business.add("time_entries", entry)
    _start_timers(random, business, identities)


def _start_timers(random: Random, business: Business, identities: list[int]) -> None:
    """A timer of the owner with a paused and a running segment; one of a colleague."""
    last = list(business.table("time_entries").values())[-3:]
    owner, colleague = identities[0], identities[-1]
    states = ((owner, True, 1800), (owner, True, None), (colleague, True, None))
    for entry, (identity_id, is_running, duration) in zip(last, states, strict=True):
        timer = FIRST_TIMER if identity_id == owner else FIRST_TIMER + 1
        entry |= {
            "identity_id": identity_id,
            "is_logged": False,
            "active": True,
            "duration": duration,
            "note": random.choice((None, "")),
            "timer": {"id": timer, "is_running": is_running},
        }
        business.add("timers", {"id": timer, "identity_id": identity_id})
