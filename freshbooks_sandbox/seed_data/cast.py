"""What every chapter of one business's story is written with: names, chance, and the scale."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from faker import Faker

if TYPE_CHECKING:
    from freshbooks_sandbox.store import Business

_LOCALES = ("en_CA", "en_US", "fr_FR")
_FAKERS: dict[str, Faker] = {}


def faker(locale: str) -> Faker:
    """A Faker per locale, made once; it is seeded anew by everybody who uses it."""
    if locale not in _FAKERS:
        _FAKERS[locale] = Faker(locale)
    return _FAKERS[locale]


@dataclass
class Cast:
    """One business in the making."""

    seed: int
    position: int
    business: Business
    user: dict[str, Any]
    scale: int

    def random(self, table: str) -> Random:
        """The generator of one table."""
        return Random(f"{self.seed}/{self.position}/{table}")  # noqa: S311 a story, not a secret

    def fakers(self, table: str) -> dict[str, Faker]:
        """The Fakers, seeded for one table."""
        for number, locale in enumerate(_LOCALES):
            faker(locale).seed_instance(f"{self.seed}/{self.position}/{table}/{number}")
        return {locale: faker(locale) for locale in _LOCALES}
