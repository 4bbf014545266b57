"""The lists that are the same for everybody: they belong to no business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.doctor.checks.base import ConnectionCheck
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.structure import Shape
from tap_freshbooks.streams.constant_list import ConstantList
from tap_freshbooks.streams.resources import STREAMS

if TYPE_CHECKING:
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Evidence

LISTS = [stream for stream in STREAMS if issubclass(stream, ConstantList)]


class ConstantLists(ConnectionCheck):
    """Whether the types of ledger accounts are lists of rows with the declared fields."""

    name = "constant_lists"
    follow_ups = len(LISTS)

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        del connection
        others = set()
        for stream in LISTS:
            rows = evidence.listing(Ask.of(stream.path), ("data",)).rows
            if not rows:
                raise NotTestedError("a list is empty")
            shape = Shape(stream.fields).see_all(rows)
            keys = {repr([row.get(name) for name in stream.key]) for row in rows}
            if len(keys) < len(rows) or any(True for _ in shape.unknown_paths()):
                others.add(stream.name)
        return self.found("other", names=sorted(others)) if others else self.found("documented")
