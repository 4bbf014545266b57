"""SetDigest: the same items give the same digest, whatever their order."""

from __future__ import annotations

from itertools import permutations

from tap_freshbooks.extraction.set_digest import SetDigest


def digest(*items: bytes) -> str:
    made = SetDigest()
    for item in items:
        made.add(item)
    return str(made)


def test_order_does_not_matter() -> None:
    assert len({digest(*items) for items in permutations((b"a", b"b", b"c"))}) == 1


def test_each_item_matters_and_how_often_it_comes() -> None:
    different = {
        digest(),
        digest(b""),
        digest(b"a"),
        digest(b"a", b"a"),
        digest(b"a", b"b"),
        digest(b"ab"),
        digest(b"a", b"b", b"b"),
    }
    assert len(different) == 7


def test_it_has_sixteen_bytes() -> None:
    assert len(digest(b"a")) == len("=" * 24)
