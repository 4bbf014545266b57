"""Rows that are decoded when they are looked at are those that a body decoded at once has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_freshbooks.transport.decoding import MAX_DEPTH, Oddities, decode
from tap_freshbooks.transport.lazy_rows import LazyRows

KEYS = ("response", "result", "taxes")

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
rows = st.lists(st.dictionaries(st.sampled_from(["id", "name", "ü", 'a"b']), values), max_size=4)


def answer(text: str, **beside: Any) -> bytes:
    more = "".join(f', "{name}": {json.dumps(value)}' for name, value in beside.items())
    return f'{{"response": {{"result": {{"taxes": {text}{more}}}}}}}'.encode()


def lazy_rows(content: bytes) -> Any:
    return decode(content, lazy_list=KEYS)["response"]["result"]["taxes"]


def plain(body: Any) -> Any:
    """A body whose rows are decoded."""
    if isinstance(body, LazyRows):
        return list(body)
    return {key: plain(each) for key, each in body.items()} if isinstance(body, dict) else body


@given(rows, st.booleans())
def test_a_body_is_the_same_whenever_its_rows_are_decoded(
    rows: list[dict[str, Any]], is_ascii: bool
) -> None:
    content = answer(json.dumps(rows, ensure_ascii=is_ascii), page=1, pages=7)

    assert plain(decode(content, lazy_list=KEYS)) == decode(content)


@pytest.mark.parametrize(
    "number", ["1e99999999999999999999", "-1e-1000000", "9" * 5_000, "0." + "9" * 5_000, "1e19"]
)
def test_a_number_is_the_same_whenever_its_row_is_decoded(number: str) -> None:
    content = answer(f'[{{"id": 1}}, {{"id": {number}}}]', total=1, meta=None)
    found = lazy_rows(content)

    assert isinstance(found, LazyRows)
    assert plain(decode(content, lazy_list=KEYS)) == decode(content)
    assert found.whole_numbers("id") in (None, [row["id"] for row in found])


def test_rows_are_lazy_where_only_page_metadata_stands_beside_them() -> None:
    content = answer('[{"id": 1}, {"id": 2}, {"id": 3}]', page=1, pages=1, per_page=100, total=3)
    found = lazy_rows(content)

    assert isinstance(found, LazyRows)
    assert (len(found), found[1], list(found[1:])) == (3, {"id": 2}, [{"id": 2}, {"id": 3}])
    assert found == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert found != [{"id": 1}]
    assert list(found.chosen([True, False, True])) == [{"id": 1}, {"id": 3}]
    assert found.whole_numbers("id") == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1}, 2]',  # a row that is no object
        '{"id": 1}',  # one object instead of a list
        '[{"id": "\\u0000"}]',
        '[{"id": "\\ud83d"}]',  # half a character
        '[{"id": "\\n\\\\ \\uD83D"}]',
        '[{"id": "\x01"}]',
        '[{"id": NaN}]',
    ],
)
def test_what_is_odd_is_decoded_at_once(text: str) -> None:
    content = answer(text)
    found = decode(content, lazy_list=KEYS)

    assert found == decode(content)
    assert not isinstance(found["response"]["result"]["taxes"], LazyRows)


@pytest.mark.parametrize(
    "content",
    [
        b'{"response": {"result": {"taxes": [{"a": "\xff"}]}}}',
        answer('[{"id": 1}]', taxes=[]),
        answer('[{"id": 1}]', sum=3),
        b'{"response": {"result": {"taxes": [{}]}, "errors": [{"message": "No"}]}}',
        b'{"response": {"errors": [{"message": "No"}]}}',
        b'{"response": {"result": {"taxes": [{"id": 1}',
        b"",
    ],
)
def test_another_body_is_decoded_as_ever(content: bytes) -> None:
    assert decode(content, lazy_list=KEYS) == decode(content)


def test_rows_that_are_nested_too_deeply_are_no_rows() -> None:
    oddities = Oddities()

    assert (
        decode(answer('[{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}]"), oddities, KEYS) is None
    )
    assert oddities.is_too_deep


def test_what_only_looks_like_an_odd_escape_is_none() -> None:
    text = '[{"id": "\\\\u0000 \\\\ud83d \\u00e9 \\n\\u000b\\\\"}]'

    assert isinstance(lazy_rows(answer(text)), LazyRows)
    assert plain(lazy_rows(answer(text))) == json.loads(text)


def test_brackets_in_texts_are_no_levels() -> None:
    rows = [{"note": "[" * 2 * MAX_DEPTH}]

    assert plain(lazy_rows(answer(json.dumps(rows)))) == rows


@pytest.mark.parametrize("value", ["null", "true", '"1"', "1.5", "[]"])
def test_keys_are_whole_numbers_or_looked_at_in_the_whole_row(value: str) -> None:
    found = lazy_rows(answer(f'[{{"id": 1, "part": 2}}, {{"id": {value}, "part": 3}}]'))

    assert found.whole_numbers("id") is None
    assert found.whole_numbers("number") is None
    assert found.whole_numbers("part") == [2, 3]
    assert found.whole_numbers("id", "part") is None


def test_a_key_may_have_several_parts_and_any_name() -> None:
    found = lazy_rows(answer('[{"id": 18446744073709551617, "p\\"": 2, "part": 3}]'))

    assert found.whole_numbers("part", "id") == [(3, 18446744073709551617)]
    assert found.whole_numbers('p"') is None
    assert found.whole_numbers() is None


def test_a_list_of_any_name_can_be_read() -> None:
    for name in ("page", 'a"b'):
        content = json.dumps({name: [{"id": 1}]}).encode()
        assert decode(content, lazy_list=(name,)) == {name: [{"id": 1}]}
