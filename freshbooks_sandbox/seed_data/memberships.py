"""The user, and the businesses that the user sees in one role or another."""

# ruff: noqa: PLR2004 chances and positions of invented data need no names

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING, Any

from freshbooks_sandbox.seed_data.context import faker
from freshbooks_sandbox.store import Business

if TYPE_CHECKING:
    from faker import Faker

ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
MEMBER_OF_OTHERS_BOOKS = 1003
"""The user's client id in the books of which the user is only a customer."""


def _uuid(seed: int, name: str) -> str:
    digest = hashlib.md5(f"{seed}/{name}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-b{digest[17:20]}-{digest[20:]}"


def identity(seed: int) -> dict[str, Any]:
    """The user, in the fields that identify a user."""
    fake = faker("en_CA")
    fake.seed_instance(f"{seed}/identity")
    random = Random(f"{seed}/identity")  # noqa: S311
    first_name, last_name = fake.first_name(), fake.last_name()
    return {
        "id": random.randrange(5_000_000, 5_900_000),
        "uuid": _uuid(seed, "identity"),
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{first_name}.{last_name}@example.com".casefold(),
    }


def businesses(seed: int, user: dict[str, Any]) -> list[Business]:
    """Two with full books, one without an account, one as a customer, one that is foreign.

    The foreign one has no membership; it exists so that a token can be refused access to an
    account that is there.
    """
    random = Random(f"{seed}/businesses")  # noqa: S311
    fake = faker("en_CA")
    fake.seed_instance(f"{seed}/businesses")
    business_ids = random.sample(range(7_000_000, 7_900_000), 5)
    membership_ids = random.sample(range(6_000_000, 6_900_000), 4)
    accounts = ["".join(random.choices(ALPHABET, k=6)) for _ in range(5)]
    roles = ("owner", "owner", "owner", "client", "none")
    found = []
    for position, role in enumerate(roles):
        address = _address(random, fake)
        owner = user if role == "owner" else _stranger(fake)
        name = fake.company()
        found.append(
            Business(
                id=business_ids[position],
                uuid=_uuid(seed, f"business/{position}"),
                name=name,
                account_id=None if position == 2 else accounts[position],
                membership_id=membership_ids[position] if role != "none" else None,
                role=role,
                timezone=("America/Toronto", "America/Vancouver", "UTC", "America/Halifax", "UTC")[
                    position
                ],
                currency=("CAD", "USD", "CAD", "CAD", "CAD")[position],
                client_id=MEMBER_OF_OTHERS_BOOKS if role == "client" else None,
                profile=_profile(random, fake, position, owner, address),
            )
        )
    return found


def _address(random: Random, fake: Faker) -> dict[str, Any]:
    return {
        "id": random.randrange(900_000, 990_000),
        "street": fake.street_address(),
        "street2": "",
        "city": fake.city(),
        "province": fake.province(),
        "country": "Canada",
        "postal_code": fake.postalcode(),
    }


def _profile(
    random: Random, fake: Faker, position: int, owner: dict[str, Any], address: dict[str, Any]
) -> dict[str, Any]:
    return {
        "owner": owner,
        "address": address,
        "phone": {
            "id": random.randrange(300_000, 390_000),
            "phone_number": fake.numerify("905555####"),
        },
        "systemid": random.randrange(4_000_000, 4_900_000),
        "group_id": random.randrange(5_500_000, 5_590_000),
        "date_format": ("mm/dd/yyyy", "yyyy-mm-dd")[position % 2],
        "sender_address": {
            **{name: address[name] for name in ("street", "street2", "city", "province")},
            "code": address["postal_code"],
            "country": "Canada",
        },
    }


def _stranger(fake: Faker) -> dict[str, Any]:
    first_name, last_name = fake.first_name(), fake.last_name()
    email = f"{first_name}.{last_name}@example.org".casefold()
    return {"first_name": first_name, "last_name": last_name, "email": email}
