"""The office: staff, tasks, the account's own settings, and how it is paid online."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import SECOND, moment_of
from freshbooks_sandbox.resources.staffs import OWNER_LEVEL, api_token
from freshbooks_sandbox.resources.tasks import TASK_OF_SERVICE
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, HOUR, later, spread

if TYPE_CHECKING:
    from freshbooks_sandbox.seed_data.context import SeedContext

# The creation of the owner's role in users/me, and the timestamp of staffs and systems.
OPENED = moment_of(datetime(2023, 10, 1, 12, tzinfo=UTC))
GATEWAYS = (("stripe", 26), ("fbpay", 30), ("paypal", 7))
FIRST_GATEWAY = 3301


def write_office(context: SeedContext) -> None:
    """After the team and its services."""
    _write_staffs(context)
    _write_tasks(context)
    _write_system(context)
    for position, (name, kind) in enumerate(GATEWAYS):
        key = FIRST_GATEWAY + position
        row = {"id": key, "gateway_name": name, "gatewayid": kind, "sgid": key * 10}
        row["connectionid"] = None if name == "paypal" else api_token(f"{key}/{context.position}")
        context.business.add("gateways", row)


def _write_staffs(context: SeedContext) -> None:
    """The members of the team who have accepted; one has left since, one is archived."""
    business, random = context.business, context.random("staffs")
    moments = iter(spread(random, 6, BEGIN, END))
    accepted = [row for row in business.table("team_members").values() if row["identity_id"]]
    for position, member in enumerate(accepted):
        is_owner = position == 0
        moment = next(moments)
        signup = OPENED if is_owner else member["created_at"]
        row: dict[str, Any] = {
            "id": position + 1,
            "username": f"{member['first_name']}{member['last_name']}".casefold().replace(" ", ""),
            "email": member["email"],
            "fname": member["first_name"],
            "lname": member["last_name"],
            "_signup": signup,
            "updated": max(signup, moment),
            "vis_state": {3: 2, 4: 1}.get(position, 0),
        }
        if is_owner:
            row |= {"level": OWNER_LEVEL, "role": "admin", "num_logins": 4, "_login": END}
            row["api_token"] = api_token(f"{context.seed}/{business.uuid}")
        else:
            row |= {"currency_code": business.currency, "rate": f"{40 + position * 5}.00"}
            row |= {
                "home_phone": ("", None)[position % 2],
                "note": (None, "Tuesdays")[position % 2],
            }
        business.add("staffs", row)


def _write_tasks(context: SeedContext) -> None:
    """One to each service; a task that was deleted has left its service behind."""
    random = context.random("tasks")
    services = list(context.business.table("services").values())
    for position, moment in enumerate(spread(random, len(services))):
        service = services[position]
        row = {
            "id": service["id"] + TASK_OF_SERVICE,
            "name": service["name"],
            "description": ("", None, "By the hour")[position % 3],
            "billable": service["billable"],
            "_rate": random.randrange(8, 30) * 500,
            "updated": moment if position % 2 else later(random, moment, 30),
            "vis_state": {2: 1, 5: 2}.get(position, 0),
        }
        context.business.add("tasks", row)


def _write_system(context: SeedContext) -> None:
    """The account's settings, and the style of its next invoice."""
    business = context.business
    owner, home = business.profile["owner"], business.profile["address"]
    row = {
        "id": business.profile["systemid"],
        "name": business.name,
        "email": owner["email"],
        "info_email": owner["email"],
        "bus_phone": business.profile["phone"]["phone_number"],
        "street": home["street"],
        "city": home["city"],
        "province": home["province"],
        "code": home["postal_code"],
        "country": home["country"],
        "currency_code": business.currency,
        "date": OPENED,
        "ip": f"203.0.113.{context.position + 9}",
    }
    business.add("systems", row)
    style = {"id": 1, "date_format": business.profile["date_format"], "theme_font_name": "modern"}
    business.add("invoice_presentation", style | {"updated": BEGIN + HOUR * 5 + SECOND})
