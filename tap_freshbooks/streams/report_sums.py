"""Whether the rows of a report add up to the totals that stand in the same answer.

They do in what is known of FreshBooks. Where they do not, something of the answer is no row yet.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_freshbooks.schema.conversion import SilentListener
from tap_freshbooks.schema.fields import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_freshbooks.records import Row


class Sum(NamedTuple):
    """A total of a report, and the amounts of rows that it is the sum of, as they came.

    Attributes:
        name: Of the total.
        total: By the report's word.
        parts: Those of the rows.
    """

    name: str
    total: Any
    parts: Iterable[Any]


# Those who deliver the values say what does not fit.
_money = Money().converter("", SilentListener())


def _amount(value: Any) -> Decimal | None:
    money = None if value is None else _money(value)
    amount = money.get("amount") if money else None
    return None if amount is None else Decimal(amount)


def sums_of_columns(report: Row, rows: Iterable[Row], columns: Mapping[str, str]) -> Iterator[Sum]:
    """Those totals that are the sum of a column over all rows.

    Args:
        report: With the totals.
        rows: Of the report.
        columns: Of the rows, by the totals, which may be in an object: `summary.paid`.
    """
    for name, column in columns.items():
        total: Any = report
        for key in name.split("."):
            total = total.get(key) if isinstance(total, dict) else None
        yield Sum(name, total, (row.get(column) for row in rows))


def wrong_totals(sums: Iterable[Sum]) -> list[str]:
    """The names of the totals that are not the sum of their rows, or not there beside rows."""
    return [name for name, total, parts in sums if _is_wrong(total, list(parts))]


def _is_wrong(total: Any, parts: Sequence[Any]) -> bool:
    if total is None:
        return bool(parts)
    said = _amount(total)
    return said is not None and said != sum((_amount(part) or 0 for part in parts), Decimal())
