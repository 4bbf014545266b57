from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_freshbooks.schema import scalars
from tap_freshbooks.schema.fields import (
    AnyJson,
    Array,
    Boolean,
    DecimalText,
    EasternTime,
    Excluded,
    Field,
    Integer,
    LocalTime,
    Money,
    Object,
    ObjectOrName,
    PlainDate,
    Scalar,
    Text,
    UtcTime,
)
from tap_freshbooks.schema.object_converter import ObjectConverter


class Problems:
    """Remembers what a conversion could not keep."""

    def __init__(self) -> None:
        self.unknown_paths: list[str] = []
        self.invalid_paths: list[str] = []
        self.withheld_paths: list[str] = []
        self.shortened_paths: list[str] = []

    def on_unknown(self, path: str) -> None:
        self.unknown_paths.append(path)

    def on_invalid(self, path: str, value: object) -> None:
        assert value is not None
        self.invalid_paths.append(path)

    def on_withheld(self, path: str) -> None:
        self.withheld_paths.append(path)

    def on_shortened(self, path: str) -> None:
        self.shortened_paths.append(path)


def converted(field: Field, value: Any) -> tuple[Any, list[str]]:
    problems = Problems()
    return field.converter("field", problems)(value), problems.invalid_paths


@pytest.mark.parametrize(
    ("sent", "is_shortened"),
    [
        ("2024-04-02 09:14:31", True),
        ("2024-04-02T00:00:00.5Z", True),
        ("2024-04-02 00:00:00", False),
        ("2024-04-02T00:00:00Z", False),
        ("2024-04-02", False),
        ("0000-00-00 00:00:01", False),
    ],
)
def test_a_time_that_a_date_has_no_place_for_is_told(sent: str, *, is_shortened: bool) -> None:
    problems = Problems()
    convert = Object(day=PlainDate()).converter("", problems)
    for _ in range(3):
        convert({"day": sent})
    assert set(problems.shortened_paths) == ({"day"} if is_shortened else set())
    assert problems.invalid_paths == []


@pytest.mark.parametrize(
    ("field", "sent", "emitted"),
    [
        (Text(), "", ""),
        (Text(), "Mira", "Mira"),
        (Text(), 12, "12"),
        (Text(), Decimal("1.50"), "1.50"),
        (Text(), True, "true"),
        (Integer(), 7, 7),
        (Integer(), "7", 7),
        (Integer(), "50.00", 50),
        (Integer(), Decimal("7.0"), 7),
        (Integer(), "", None),
        (Integer(), False, 0),
        (Boolean(), True, True),
        (Boolean(), 0, False),
        (Boolean(), "1", True),
        (Boolean(), "False", False),
        (Boolean(), "", None),
        (DecimalText(), "41.94", "41.94"),
        (DecimalText(), "-0.5", "-0.5"),
        (DecimalText(), "0.00000000000000000000000001", "0.00000000000000000000000001"),
        (DecimalText(), "1e3", "1000"),
        (DecimalText(), 13, "13"),
        (DecimalText(), Decimal("0.10"), "0.10"),
        (DecimalText(), "", None),
        (PlainDate(), "2024-04-02", "2024-04-02"),
        (PlainDate(), "2024-04-02 09:14:31", "2024-04-02"),
        (PlainDate(), "0000-00-00", None),
        (PlainDate(), "", None),
        (EasternTime(), "2024-07-01 09:00:00", "2024-07-01T13:00:00Z"),
        (EasternTime(), "2024-01-01 09:00:00", "2024-01-01T14:00:00Z"),
        (EasternTime(), "2024-04-02 09:20:05.118204", "2024-04-02T13:20:05.118204Z"),
        (EasternTime(), "2026-02-03T11:45:09Z", "2026-02-03T11:45:09Z"),
        (EasternTime(), "2026-02-03T11:45:09", "2026-02-03T11:45:09Z"),
        (EasternTime(), "2018-05-01 9:00:00", "2018-05-01T13:00:00Z"),
        (EasternTime(), "0000-00-00 00:00:00", None),
        (UtcTime(), "2024-03-05 15:20:11", "2024-03-05T15:20:11Z"),
        (UtcTime(), "2024-04-27T14:33:48.841075Z", "2024-04-27T14:33:48.841075Z"),
        (UtcTime(), "2024-04-27T16:33:48+02:00", "2024-04-27T14:33:48Z"),
        (UtcTime(), "", None),
        (LocalTime(), "2026-02-03T09:15:00", "2026-02-03T09:15:00"),
        (Money(), {"amount": "10.00", "code": "CAD"}, {"amount": "10.00", "code": "CAD"}),
        (Money(), {"amount": 10, "code": "CAD"}, {"amount": "10", "code": "CAD"}),
        (Money(), "10.00", {"amount": "10.00", "code": None}),
        (Money(), "", None),
        (Array(Integer()), [1, "2", None], [1, 2, None]),
        (AnyJson(), {"any": ["thing"]}, {"any": ["thing"]}),
        (AnyJson("array"), [{"a": 1}], [{"a": 1}]),
    ],
)
def test_every_known_form_of_a_value_is_read(field: Field, sent: Any, emitted: Any) -> None:
    assert converted(field, sent) == (emitted, [])


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        (Text(), {"an": "object"}),
        (Integer(), "seven"),
        (Integer(), "1.5"),
        (Integer(), []),
        (Boolean(), "perhaps"),
        (DecimalText(), "ten"),
        (DecimalText(), "NaN"),
        (DecimalText(), True),
        (PlainDate(), "2024-13-01"),
        (PlainDate(), 20240101),
        (EasternTime(), "yesterday"),
        (EasternTime(), 1700000000),
        (Money(), "a lot"),
        (Array(Text()), "not a list"),
        (AnyJson(), []),
        (Object(a=Text()), "not an object"),
    ],
)
def test_a_value_that_fits_in_no_way_becomes_null_and_is_reported(field: Field, sent: Any) -> None:
    assert converted(field, sent) == (None, ["field"])


def test_the_hour_that_november_has_twice_is_read_as_its_first_passage() -> None:
    assert converted(EasternTime(), "2025-11-02 01:30:00") == ("2025-11-02T05:30:00Z", [])
    assert converted(EasternTime(), "2025-11-02 02:30:00") == ("2025-11-02T07:30:00Z", [])


def test_absent_fields_stay_absent_and_null_stays_null() -> None:
    assert converted(Object(a=Text(), b=Integer()), {"b": None}) == ({"b": None}, [])


def test_problems_are_named_by_their_path() -> None:
    problems = Problems()
    fields = Object(lines=Array(Object(qty=DecimalText())))
    convert = fields.converter("", problems)
    assert convert({"lines": [{"qty": "many", "new": 1}], "other": 2}) == {"lines": [{"qty": None}]}
    assert problems.invalid_paths == ["lines.qty"]
    assert problems.unknown_paths == ["lines.new", "other"]


def test_excluded_fields_are_neither_declared_nor_emitted_nor_reported() -> None:
    fields = Object(id=Integer(), fasttrack_token=Excluded())
    assert "fasttrack_token" not in fields.schema()["properties"]
    assert converted(fields, {"id": 1, "fasttrack_token": "secret"}) == ({"id": 1}, [])


def test_money_is_declared_as_exact_decimal() -> None:
    assert Money().schema()["properties"]["amount"] == {
        "type": ["string", "null"],
        "format": "x-singer.decimal",
    }


def test_an_unusual_value_is_converted_and_reported_each_time() -> None:
    problems = Problems()
    fields = Object(id=Integer(), day=PlainDate(), total=Money(), token=Excluded())
    convert = fields.converter("", problems)
    usual = {"id": 1, "day": "2024-04-02", "total": {"amount": "1.00", "code": "CAD"}}
    odd = {"id": "1", "day": "2024-04-02 09:00:00", "total": {"amount": 1, "code": None, "x": 1}}
    for _ in range(3):
        assert convert(usual) == usual
        assert convert({**odd, "new": None, "token": "secret"}) == {
            "id": 1,
            "day": "2024-04-02",
            "total": {"amount": "1", "code": None},
        }
    assert problems.unknown_paths == ["total.x", "new"] * 3
    assert problems.invalid_paths == []


@given(
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z?\Z")
    | st.datetimes().map(str)
    | st.text(alphabet="0123456789-: TZ.+", max_size=26)
)
def test_the_fast_conversion_of_a_moment_gives_what_the_general_one_does(text: str) -> None:
    for field, fast in ((UtcTime, "fast_utc_text"), (EasternTime, "fast_eastern_text")):
        expected = converted(field(), text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scalars, fast, lambda _: None)
            assert converted(field(), text) == expected


ROW = Object(
    id=Integer(),
    note=Text(),
    paid=Boolean(),
    rate=DecimalText(),
    day=PlainDate(),
    updated=EasternTime(),
    created_at=UtcTime(),
    begins=LocalTime(),
    total=Money(),
    links=AnyJson(),
    tags=AnyJson("array"),
    token=Excluded(),
    names=Array(Text()),
    sums=Array(Money()),
    owner=ObjectOrName("name", name=Text(), age=Integer()),
    late_fee=Object(days=Integer(), value=DecimalText(), secret=Excluded()),
    lines=Array(Object(lineid=Integer(), cost=Money(), updated=EasternTime(), name=Text())),
)

VALUES: list[Any] = [
    *(None, "", " ", "Mira", "0", "12", "-12", "12.50", "-0.5", ".5", "5.", "+5", "1e3", "NaN"),
    *("1_000", " 7 ", "\u0661\u0662", "12\n", "true", "False", 0, 1, 12, -3, True, False),
    *(Decimal("1.50"), Decimal(7), Decimal("1E+3"), Decimal("NaN")),
    *("2024-04-02", "2024-13-01", "0000-00-00", "0000-00-00 00:00:00", "2024-04-02 09:14:31"),
    *("2024-04-02T09:14:31", "2024-04-02T09:14:31Z", "2024-04-02 09:14:31.118204"),
    *("2024-04-02 9:14:31", "2024-04-02T09:14:31+02:00", {}, [], {"any": 1}, ["a", None, 1]),
    *({"amount": "1.00", "code": "CAD"}, {"code": "CAD", "amount": "1.00"}, {"amount": "1.00"}),
    *({"amount": "1.00", "code": None}, {"amount": "1.00", "code": "CAD", "new": 1}),
    *({"amount": "many", "code": "CAD"}, {"amount": 1, "code": 2}, {"amount": {}, "code": "CAD"}),
]

USUAL: dict[type[Field], list[Any]] = {
    Integer: [0, 12],
    Text: ["", "Mira"],
    Boolean: [True, False],
    DecimalText: ["0.00", "13"],
    PlainDate: ["2024-04-02"],
    EasternTime: ["2024-04-02 09:14:31", "2024-07-01 23:14:31.118204"],
    UtcTime: ["2024-04-02T09:14:31Z", "2024-04-02 09:14:31"],
    Money: [{"amount": "41.94", "code": "CAD"}],
}


def sent_for(field: Field) -> st.SearchStrategy[Any]:
    """What may be sent for a field: mostly the usual, and anything else."""
    odd = st.sampled_from(VALUES)
    if type(field) in USUAL:
        usual = st.sampled_from(USUAL[type(field)])
        return usual | usual | st.none() | odd
    if isinstance(field, Object):
        return rows_of(field) | rows_of(field) | odd
    if isinstance(field, Array):
        return st.lists(st.none() | sent_for(field.item), max_size=3) | odd
    return odd


def rows_of(fields: Object) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the declared fields, and some that are not."""
    known = {name: sent_for(field) for name, field in fields.fields.items()}
    new = {"new": st.sampled_from(VALUES), "lines.new": st.none()}
    return st.fixed_dictionaries({}, optional=known | new)


def one_by_one(field: Field, value: Any, path: str, problems: Problems) -> Any:  # noqa: C901 - all types
    """The result of the conversion, found without any short cut."""
    if value is None:
        return None
    if isinstance(field, ObjectOrName) and isinstance(value, str):
        value = {field.name: value}
    if isinstance(field, Money) and not isinstance(value, dict):
        amount = one_by_one(DecimalText(), value, path, problems)
        return None if amount is None else {"amount": amount, "code": None}
    if isinstance(field, Object) and isinstance(value, dict):
        prefix = f"{path}." if path else ""
        converted = {}
        for name, part in value.items():
            if name not in field.fields:
                problems.on_unknown(prefix + name)
            elif field.fields[name].emitted:
                converted[name] = one_by_one(field.fields[name], part, prefix + name, problems)
        return converted
    if isinstance(field, Array) and isinstance(value, list):
        return [one_by_one(field.item, part, path, problems) for part in value]
    types: dict[str, Any] = {"object": dict, "array": list}
    if isinstance(field, AnyJson) and type(value) in {types[each] for each in field.json_types}:
        return value
    if isinstance(field, Scalar):
        try:
            return field.convert(value)
        except (ValueError, TypeError, ArithmeticError):
            pass
    problems.on_invalid(path, value)
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(rows_of(ROW), min_size=1, max_size=4))
def test_objects_are_converted_as_one_by_one(rows: list[dict[str, Any]]) -> None:
    problems, expected = Problems(), Problems()
    convert = ROW.converter("", problems)
    for row in (*rows, *rows):
        before = deepcopy(row)
        record = convert(row)
        assert repr(record) == repr(one_by_one(ROW, row, "", expected))  # 1 is no True
        assert repr(row) == repr(before)
    assert sorted(problems.unknown_paths) == sorted(expected.unknown_paths)
    assert sorted(problems.invalid_paths) == sorted(expected.invalid_paths)


@pytest.mark.parametrize(
    ("field", "usual", "odd"),
    [
        (AnyJson(), {}, {"a": 1}),
        (AnyJson("object", "array"), [], [1]),
        (Text(), "x", 1),
        (DecimalText(), "1.50", "1e3"),
        (PlainDate(), "2024-04-02", "2024-04-02 09:14:31"),
        (Object(id=Integer()), {"id": 1}, {"id": 1, "new": 2}),
    ],
)
def test_an_odd_value_slows_down_one_object_only(
    field: Field, usual: Any, odd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = []
    one_by_one = ObjectConverter._one_by_one

    def counted(self: ObjectConverter, row: dict[str, Any]) -> dict[str, Any]:
        if "id" in row and "value" in row:
            slow.append(row["id"])
        return one_by_one(self, row)

    monkeypatch.setattr(ObjectConverter, "_one_by_one", counted)
    convert = Object(id=Integer(), value=field).converter("", Problems())
    for number, value in enumerate((usual, odd, usual, odd, odd)):
        convert({"id": number, "value": value})
    assert slow == [1]
