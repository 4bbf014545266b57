"""Values that fit no field, or barely, and what is delivered of each in fields of every type."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MANY = 100_000


class Value(NamedTuple):
    """A value as JSON, and what becomes of it: null, unless something is named.

    Attributes:
        json: As it is sent, valid or not.
        text: In a field of the type `Text`.
        whole: In an `Integer`.
        number: In a `DecimalText`.
        day: In a `PlainDate`.
        moment: In an `EasternTime`.
        flag: In a `Boolean`.
        money: In `Money`.
    """

    json: str
    text: str | None = None
    whole: int | None = None
    number: str | None = None
    day: str | None = None
    moment: str | None = None
    flag: bool | None = None
    money: dict[str, Any] | None = None


VALUES = {
    "null": Value("null"),
    "true": Value("true", text="true", whole=1, flag=True),
    "an empty text": Value('""', text=""),
    "blanks": Value('" \\t "', text=" \t "),
    "a text": Value('"abc"', text="abc"),
    "an empty object": Value("{}", money={}),
    "an object": Value('{"a": {"b": 1}}', money={}),
    "an empty list": Value("[]"),
    "a list": Value('[1, "a", null]'),
    "a float": Value("1.5", text="1.5", number="1.5", money={"amount": "1.5", "code": None}),
    "a float text": Value('"1.5"', text="1.5", number="1.5", money={"amount": "1.5", "code": None}),
    "a whole float": Value(
        "12.0", text="12.0", whole=12, number="12.0", money={"amount": "12.0", "code": None}
    ),
    "minus zero": Value(
        "-0.0", text="-0.0", whole=0, number="-0.0", money={"amount": "-0.0", "code": None}
    ),
    "2^63 - 1": Value(
        str(2**63 - 1),
        text="9223372036854775807",
        whole=9223372036854775807,
        number="9223372036854775807",
        money={"amount": "9223372036854775807", "code": None},
    ),
    "2^63": Value(
        str(2**63),
        text="9223372036854775808",
        number="9223372036854775808",
        money={"amount": "9223372036854775808", "code": None},
    ),
    "2^63, text": Value(
        f'"{2**63}"',
        text="9223372036854775808",
        number="9223372036854775808",
        money={"amount": "9223372036854775808", "code": None},
    ),
    "-2^63 - 1": Value(
        str(-(2**63) - 1),
        text="-9223372036854775809",
        number="-9223372036854775809",
        money={"amount": "-9223372036854775809", "code": None},
    ),
    "2^64": Value(
        str(2**64),
        text="18446744073709551616",
        number="18446744073709551616",
        money={"amount": "18446744073709551616", "code": None},
    ),
    "1e400": Value("1e400", text="1e400"),
    "1e400, text": Value('"1e400"', text="1e400"),
    "1e1000000": Value("1e1000000", text="1e1000000"),
    "1e1000000, text": Value('"1e1000000"', text="1e1000000"),
    "-1e1000000": Value("-1e1000000", text="-1e1000000"),
    "1e-1000000": Value("1e-1000000", text="1e-1000000"),
    "1e-1000000, text": Value('"1e-1000000"', text="1e-1000000"),
    "0e1000000": Value("0e1000000", text="0e1000000"),
    "0e1000000, text": Value('"0e1000000"', text="0e1000000"),
    "1e99999999999999999999": Value("1e99999999999999999999", text="1e99999999999999999999"),
    "many digits": Value("9" * MANY, text="9" * MANY),
    "many digits, text": Value(json.dumps("9" * MANY), text="9" * MANY),
    "many places": Value("0." + "9" * MANY, text="0." + "9" * MANY),
    "many places, text": Value(json.dumps("0." + "9" * MANY), text="0." + "9" * MANY),
    "NaN": Value("NaN", text="NaN"),
    "NaN, text": Value('"NaN"', text="NaN"),
    "sNaN, text": Value('"sNaN"', text="sNaN"),
    "Infinity": Value("Infinity", text="Infinity"),
    "-Infinity, text": Value('"-Infinity"', text="-Infinity"),
    "Arabic digits": Value(
        '"\u0663\u0664"',
        text="\u0663\u0664",
        whole=34,
        number="34",
        money={"amount": "34", "code": None},
    ),
    "digits with underscores": Value('"1_000"', text="1_000"),
    "a hexadecimal number": Value('"0x10"', text="0x10"),
    "year 0": Value('"0000-01-01"', text="0000-01-01"),
    "year 0, with time": Value('"0000-01-01 00:00:00"', text="0000-01-01 00:00:00"),
    "year 1": Value(
        '"0001-01-01"', text="0001-01-01", day="0001-01-01", moment="0001-01-01T00:00:00Z"
    ),
    "year 1, with time": Value(
        '"0001-01-01 00:00:00"',
        text="0001-01-01 00:00:00",
        day="0001-01-01",
        moment="0001-01-01T04:56:02Z",
    ),
    "year 1, far in the east": Value(
        '"0001-01-01T00:00:00+14:00"', text="0001-01-01T00:00:00+14:00", day="0001-01-01"
    ),
    "year 9999": Value(
        '"9999-12-31"', text="9999-12-31", day="9999-12-31", moment="9999-12-31T00:00:00Z"
    ),
    "year 9999, with time": Value(
        '"9999-12-31 23:59:59"', text="9999-12-31 23:59:59", day="9999-12-31"
    ),
    "year 9999, far in the west": Value(
        '"9999-12-31T23:59:59-12:00"', text="9999-12-31T23:59:59-12:00", day="9999-12-31"
    ),
    "year 10000": Value('"10000-01-01"', text="10000-01-01"),
    "year -1": Value('"-0001-01-01"', text="-0001-01-01"),
    "no date": Value('"0000-00-00"', text="0000-00-00"),
    "no date, with time": Value('"0000-00-00 00:00:00"', text="0000-00-00 00:00:00"),
    "February 30": Value('"2024-02-30"', text="2024-02-30"),
    "hour 24": Value('"2024-02-01 24:00:00"', text="2024-02-01 24:00:00", day="2024-02-01"),
    "a leap second": Value('"2016-12-31 23:59:60"', text="2016-12-31 23:59:60", day="2016-12-31"),
    "a week": Value(
        '"2024-W05-1"', text="2024-W05-1", day="2024-01-29", moment="2024-01-29T00:00:00Z"
    ),
    "digits of a date": Value(
        '"20240201"',
        text="20240201",
        whole=20240201,
        number="20240201",
        day="2024-02-01",
        moment="2024-02-01T00:00:00Z",
        money={"amount": "20240201", "code": None},
    ),
    "a date with a time": Value(
        '"2024-02-01 10:11:12"',
        text="2024-02-01 10:11:12",
        day="2024-02-01",
        moment="2024-02-01T15:11:12Z",
    ),
    "a date with rubbish": Value('"2024-02-01; DROP TABLE"', text="2024-02-01; DROP TABLE"),
    "an odd offset": Value(
        '"2024-02-01T10:11:12+05:45:30.123456"',
        text="2024-02-01T10:11:12+05:45:30.123456",
        day="2024-02-01",
        moment="2024-02-01T04:25:41.876544Z",
    ),
    "seconds": Value(
        "1700000000",
        text="1700000000",
        whole=1700000000,
        number="1700000000",
        money={"amount": "1700000000", "code": None},
    ),
    "NUL": Value('"a\\u0000b"', text="ab"),
    "only NUL": Value('"\\u0000"', text=""),
    "half an emoji": Value('"a\\ud83d"', text="a?"),
    "the other half": Value('"\\ude00a"', text="?a"),
    "control sequences": Value('"\\u001b[31mred\\u0007"', text="\u001b[31mred\u0007"),
    "bidi marks": Value('"\\u202egro.live"', text="\u202egro.live"),
    "line ends": Value('"a\\r\\nb\\u2028c"', text="a\r\nb\u2028c"),
    "no character": Value('"\\ufffe\\uffff"', text="\ufffe\uffff"),
    "a million characters": Value(json.dumps("x" * 1_000_000), text="x" * 1_000_000),
    "keys that are odd": Value(
        '{"": 1, "__proto__": {"a": 1}, "a\\u0000b": 2, "\\ud800": 3, "$": 4}', money={}
    ),
    "a key twice": Value(
        '{"amount": "1.00", "amount": "2.00", "code": "CAD"}',
        money={"amount": "2.00", "code": "CAD"},
    ),
    "a long key": Value(json.dumps({"k" * MANY: 1}), money={}),
    "money that is a list": Value('["1.00", "CAD"]'),
    "money of objects": Value(
        '{"amount": {"a": 1}, "code": ["CAD"]}', money={"amount": None, "code": None}
    ),
    "money of absurd size": Value(
        '{"amount": 1e1000000, "code": null}', money={"amount": None, "code": None}
    ),
    "money without digits": Value('{"amount": "", "code": ""}', money={"amount": None, "code": ""}),
    "money with commas": Value(
        '{"amount": "1,234.50", "code": "CAD"}', money={"amount": None, "code": "CAD"}
    ),
    "lists in lists": Value("[" * 40 + "]" * 40),
    "objects in objects": Value('{"a":' * 40 + "1" + "}" * 40, money={}),
}

FIELDS = {
    "text": "notes",
    "whole": "customerid",
    "number": "discount_value",
    "day": "create_date",
    "moment": "updated",
    "flag": "auto_bill",
    "money": "amount",
}
"""A field of invoices of each type."""

PATH, LIST = "*/{account_id}/invoices/invoices", "response.result.invoices"
FIRST = 900_000
"""Id of the row that has the first value."""


def rows_with(*fields: str) -> list[dict[str, object]]:
    """The edits of an answer that make of its first row one for each value, in all these fields."""
    edits: list[dict[str, object]] = [
        {"edit": "repeat", "path": f"{LIST}.0", "times": len(VALUES) - 1}
    ]
    for place, value in enumerate(VALUES.values()):
        row = f"{LIST}.{place}"
        edits.append({"edit": "set", "path": f"{row}.id", "value": FIRST + place})
        edits += [{"edit": "set", "path": f"{row}.{name}", "json": value.json} for name in fields]
    return edits
