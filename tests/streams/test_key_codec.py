"""Keys come back from the state as they were, and take little space in it."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tap_freshbooks.streams.key_codec import KeyFormatError, decode, encode

NUMBER = 100_000
UUIDS = [str(UUID(int=Random(1).getrandbits(128))) for _ in range(3)]  # noqa: S311
KEYS: dict[str, list[Any]] = {
    "one": [7],
    "numbers": [3, 1, 2, 10**12],
    "negative and far apart": [-(2**63), -1, 0, 2**63 - 1],
    "beyond 64 bits": [2**64, 5],
    "numbers in text": ["3", "20", "100"],
    "text that is not quite a number": ["007", "7", "-1", "٣", ""],
    "uuids": UUIDS,
    "uuids in capitals": [each.upper() for each in UUIDS],
    "several types": [1, "1", None, "true"],
    "unified ids": ["invoices:5", "invoices:12", "invoices:880417:1"],
    "ids of two streams": ["invoices:5", "bills:5"],
    "any text": ['a"b\\', "\u2028", "\U0001f600", "a\nb", " "],
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_come_back_as_they_were(name: str) -> None:
    one = {(value,) for value in KEYS[name]}
    assert decode(json.loads(json.dumps(encode(one))), 1) == one
    two = {(number % 2, value) for number, value in enumerate(KEYS[name])}
    assert decode(json.loads(json.dumps(encode(two))), 2) == two


def test_no_keys_and_a_key_of_no_columns_come_back() -> None:
    assert decode(encode(set()), 3) == set()
    assert decode(encode({()}), 0) == {()}


def test_the_same_keys_are_the_same_text() -> None:
    keys = [(value,) for value in KEYS["numbers"]]
    assert encode(keys) == encode(keys[::-1])


@pytest.mark.parametrize(("span", "size"), [(NUMBER, 2_000), (1000 * NUMBER, 200_000)])
def test_a_hundred_thousand_numbers_take_at_most_200_kilobytes(span: int, size: int) -> None:
    """Ids without gaps, and at random within a hundred million."""
    keys = {(number,) for number in Random(1).sample(range(1, span + 1), NUMBER)}  # noqa: S311
    assert len(json.dumps(encode(keys))) <= size


GOOD = encode({(1,), (2,)})
[COLUMN] = GOOD["columns"]
DAMAGED: list[Any] = [
    "text",
    [1, 2],
    7,
    True,
    {},
    {**GOOD, "count": 3},
    {**GOOD, "count": "2"},
    {**GOOD, "count": None},
    {**GOOD, "columns": None},
    {**GOOD, "columns": [COLUMN, COLUMN]},
    {**GOOD, "columns": []},
    {**GOOD, "columns": [{**COLUMN, "kind": "letters"}]},
    {**GOOD, "columns": [{**COLUMN, "prefix": "x"}]},
    {**GOOD, "columns": [{**COLUMN, "data": COLUMN["data"][:-3]}]},
    {**GOOD, "columns": [{**COLUMN, "data": "not base85: \x00"}]},
    {**GOOD, "columns": [{**COLUMN, "data": None}]},
    {**GOOD, "columns": [{**COLUMN, "kind": "values"}]},
]


@pytest.mark.parametrize("damaged", DAMAGED, ids=str)
def test_what_stands_for_no_keys_is_told_from_keys(damaged: Any) -> None:
    with pytest.raises(KeyFormatError):
        decode(damaged, 1)
