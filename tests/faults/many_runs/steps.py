"""What happens in a sequence: edits, waits, changes of settings, and runs that may be disturbed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Edit:
    """An edit of one row of a resource.

    Attributes:
        resource: Its name in the sandbox.
        action: `create`, `update`, `delete`, `restore`, `archive`, `relate` (another row that this
            one names), `lines` (other lines), or `silent` (no timestamp moves).
        place: Which row, as a share of all.
        value: Number of the new value; the same one makes the same content.
        business: Position of the business, from 1.
    """

    resource: str
    action: str
    place: float
    value: int
    business: int = 1


@dataclass(frozen=True)
class Wait:
    """Time goes by."""

    seconds: int


@dataclass(frozen=True)
class Change:
    """The user changes settings, or what is selected."""

    settings: dict[str, Any] = field(default_factory=dict)
    streams: tuple[str, ...] | None = None
    without: tuple[tuple[str, str], ...] | None = None
    """Streams and fields that are deselected."""


@dataclass(frozen=True)
class Disturbance:
    """What goes wrong in a run.

    Attributes:
        kind: `edits` (while it reads), `fails` (a request, all tries), `refused` (a request),
            `interrupted` (by a signal), `killed`.
        moment: Which request, or which part of the messages.
        edits: What is edited.
        commits: Whether the target keeps nothing that came after the last state.
    """

    kind: str
    moment: float
    edits: tuple[Edit, ...] = ()
    commits: bool = False


@dataclass(frozen=True)
class Run:
    """A run of the tap with the state that the target has seen."""

    disturbance: Disturbance | None = None


Step = Edit | Wait | Change | Run


@dataclass(frozen=True)
class Sequence:
    """All of it.

    Attributes:
        seed: Which drew it.
        behaviours: Of the sandbox.
        settings: Of the tap.
        streams: That are selected at the begin.
        steps: In their order.
        page: Rows on a page of lists that have small ones.
        with_inbox: Whether events of edits arrive in a webhook inbox.
    """

    seed: int
    behaviours: dict[str, str]
    settings: dict[str, Any]
    streams: tuple[str, ...]
    steps: tuple[Step, ...]
    page: int = 3
    with_inbox: bool = False
