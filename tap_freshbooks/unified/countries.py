"""ISO codes of countries, whose names are free text in FreshBooks."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import iso3166

COMMON_NAMES = {
    "america": "US",
    "bolivia": "BO",
    "british virgin islands": "VG",
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "cocos islands": "CC",
    "congo kinshasa": "CD",
    "czech republic": "CZ",
    "democratic republic of the congo": "CD",
    "dr congo": "CD",
    "east timor": "TL",
    "england": "GB",
    "falkland islands": "FK",
    "great britain": "GB",
    "holland": "NL",
    "hong kong sar": "HK",
    "iran": "IR",
    "ivory coast": "CI",
    "laos": "LA",
    "macau": "MO",
    "macedonia": "MK",
    "micronesia": "FM",
    "moldova": "MD",
    "nauru": "NR",
    "north korea": "KP",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "russia": "RU",
    "saint helena": "SH",
    "saint martin": "MF",
    "scotland": "GB",
    "sint maarten": "SX",
    "south korea": "KR",
    "swaziland": "SZ",
    "syria": "SY",
    "tanzania": "TZ",
    "turkey": "TR",
    "u k": "GB",
    "u s": "US",
    "u s a": "US",
    "u s virgin islands": "VI",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "us virgin islands": "VI",
    "vatican": "VA",
    "vatican city": "VA",
    "venezuela": "VE",
    "vietnam": "VN",
    "wales": "GB",
}
"""Names that the standard does not have, in their normalised form."""


@cache
def country_code(name: str) -> str | None:
    """ISO 3166-1 alpha-2 code of a country by its English name or a code, None if not found."""
    normalised = _normalised(name).removeprefix("the ")
    return COMMON_NAMES.get(normalised) or _codes().get(normalised)


@cache
def _codes() -> dict[str, str]:
    codes = {}
    for country in iso3166.countries:
        for name in (country.alpha2, country.alpha3, country.name, country.apolitical_name):
            codes[_normalised(name)] = country.alpha2
    return codes


def _normalised(name: str) -> str:
    """A name without accents, signs and capitals."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", letters.casefold().replace("&", "and")).strip()
