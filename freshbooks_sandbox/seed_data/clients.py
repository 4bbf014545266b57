"""The clients of a business, from three countries, with the blanks and nulls of real books."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.clock import DAY
from freshbooks_sandbox.seed_data.calendar import BEGIN, END, later, spread

if TYPE_CHECKING:
    from random import Random

    from faker import Faker

    from freshbooks_sandbox.seed_data.context import SeedContext

COUNTRIES = {
    "en_CA": ("Canada", "CAD"),
    "en_US": ("United States", "USD"),
    "fr_FR": ("France", "EUR"),
}
FIRST_ID = 1001


def write_clients(context: SeedContext) -> list[dict[str, Any]]:
    """One client to eight invoices, at least a dozen."""
    random, fakers = context.random("clients"), context.fakers("clients")
    count = max(12, context.scale // 8)
    early = [BEGIN - 30 * DAY + position for position in range(4)]
    moments = early + spread(random, count - len(early), BEGIN, END - 60 * DAY)
    clients = []
    for position, moment in enumerate(moments):
        # The home country first, so that few clients have their taxes too.
        locale = (
            random.choices(tuple(COUNTRIES), (6, 3, 1))[0]
            if position > 2
            else (tuple(COUNTRIES)[position])
        )
        client = _client(random, fakers[locale], locale)
        client |= {"id": FIRST_ID + position, "_signup": moment, "updated": moment}
        if random.random() < 0.3:
            client["updated"] = later(random, moment, 300)
        client["vis_state"] = _vis_state(position)
        clients.append(context.business.add("clients", client))
    return clients


def _vis_state(position: int) -> int:
    """The seventh of a dozen is deleted, the tenth archived; never one of the first."""
    return {6: 1, 9: 2}.get(position % 12, 0)


def _client(random: Random, fake: Faker, locale: str) -> dict[str, Any]:
    country, currency = COUNTRIES[locale]
    first_name, last_name = fake.first_name(), fake.last_name()
    company = fake.company()
    client: dict[str, Any] = {
        "fname": first_name,
        "lname": last_name,
        "organization": company,
        "email": f"{first_name}.{last_name}@example.net".casefold().replace(" ", ""),
        "username": f"{first_name}{last_name}".casefold().replace(" ", ""),
        "currency_code": currency,
        "p_street": fake.street_address(),
        "p_street2": "",
        "p_city": fake.city(),
        "p_province": _province(fake, locale),
        "p_code": fake.postcode(),
        "p_country": country,
        "vat_name": None,
        "vat_number": "",
    }
    chance = random.random()
    if chance < 0.1:
        client |= {"fname": "", "lname": ""}
    elif chance < 0.15:
        client |= {"organization": f"{first_name} {last_name}", "email": ""}
    elif chance < 0.2:
        client["organization"] = ""
    elif chance < 0.35:
        client |= {"note": fake.sentence(), "vat_number": None, "mob_phone": fake.phone_number()}
    if locale == "fr_FR":
        client |= {"vat_name": "TVA", "vat_number": fake.numerify("FR###########")}
        client["language"] = "fr"
    if random.random() < 0.5:
        client["bus_phone"] = fake.phone_number()
    if random.random() < 0.1:
        client |= {"num_logins": random.randrange(1, 40), "home_phone": fake.phone_number()}
    return client


def _province(fake: Any, locale: str) -> str:
    if locale == "en_CA":
        return str(fake.province())
    return str(fake.state() if locale == "en_US" else fake.region())
