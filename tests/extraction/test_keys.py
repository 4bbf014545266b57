from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tap_freshbooks.extraction.keys import KeySet
from tap_freshbooks.extraction.list_chain import PageTrace
from tap_freshbooks.extraction.pagination import Page, PageMetadata

if TYPE_CHECKING:
    from collections.abc import Hashable

KEYS = st.one_of(
    st.integers(-100, 100), st.integers(), st.text(max_size=2), st.tuples(st.integers(0, 3))
)


def trace_of(keys: list[Hashable]) -> PageTrace:
    page = Page(1, [], PageMetadata(1, 1, len(keys)), datetime.now(UTC), 0, 0)
    return PageTrace.of(page, keys)


@given(st.lists(KEYS, max_size=50))
def test_a_key_set_is_a_set(keys: list[Hashable]) -> None:
    ours, expected = KeySet(), set[object]()
    for key in keys:
        assert ours.add(key) == (key not in expected)
        expected.add(key)
    assert len(ours) == len(expected)


@given(st.lists(KEYS, max_size=20), st.lists(KEYS, max_size=20))
def test_the_digest_of_a_key_set_is_that_of_the_same_keys(
    some: list[Hashable], others: list[Hashable]
) -> None:
    first, second, reordered = key_set(some), key_set(others), key_set([*reversed(some), *some])
    assert first.digest == reordered.digest
    assert (first.digest == second.digest) == (set(some) == set(others))


def key_set(keys: list[Hashable]) -> KeySet:
    made = KeySet()
    for key in keys:
        made.add(key)
    return made


@given(st.lists(KEYS, max_size=50))
def test_a_page_keeps_the_keys_of_its_rows(keys: list[Hashable]) -> None:
    assert list(trace_of(keys).keys) == keys


def test_a_million_rows_take_few_bytes_each() -> None:
    rows = 100_000
    seen, traces = KeySet(), []
    tracemalloc.start()
    try:
        for first in range(10_000_000, 10_000_000 + rows, 100):
            keys: list[Hashable] = list(range(first, first + 100))
            for key in keys:
                seen.add(key)
            traces.append(trace_of(keys))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(traces) == rows / 100
    assert used < 20 * rows
