"""The generators of one business's rows: names, random numbers, and the scale."""

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
    """A Faker per locale, made once; whoever uses it seeds it anew."""
    if locale not in _FAKERS:
        _FAKERS[locale] = Faker(locale)
    return _FAKERS[locale]


@dataclass
class SeedContext:
    """One business whose rows are being generated."""

    seed: int
    position: int
    business: Business
    user: dict[str, Any]
    scale: int

    def random(self, table: str) -> Random:
        """The generator of one table."""
        return Random(f"{self.seed}/{self.position}/{table}")  # noqa: S311 invented data, not a secret

    def fakers(self, table: str) -> dict[str, Faker]:
        """The Fakers, seeded for one table."""
        for number, locale in enumerate(_LOCALES):
            faker(locale).seed_instance(f"{self.seed}/{self.position}/{table}/{number}")
        return {locale: faker(locale) for locale in _LOCALES}
