"""Faults that can be ordered: which, to which requests or deliveries, how often.

Every fault has the same conditions; middleware.py applies those of requests, webhooks/sender.py
those of deliveries.
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from freshbooks_sandbox.answer_edits import AnyEdit  # noqa: TC001 msgspec reads the annotation
from freshbooks_sandbox.limits import RateLimit
from freshbooks_sandbox.webhooks.signature import (  # noqa: TC001 msgspec reads the annotation
    Forgery,
)

HeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7e\xa0-\xff]*$")]
"""What HTTP lets stand in a header: latin-1 without control characters."""


class Conditions(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="fault"):
    """The conditions under which a fault occurs.

    Of the requests or deliveries that match, the first `skip` pass; then `times` of them are hit
    (all when None), each with `probability`, drawn from a generator that starts at `seed`.
    """

    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    seed: int = 0


class Fault(Conditions, kw_only=True):
    """A fault of requests.

    `path` is a glob over the URL path, or a part of it where it holds no `*`.
    """

    path: str = "*"
    method: str | None = None
    client_id: str | None = None

    def concerns(self, method: str, path: str, client_id: str | None) -> bool:
        """Whether a request is of the kind."""
        if self.method not in (None, method) or self.client_id not in (None, client_id):
            return False
        return fnmatchcase(path, self.path) or ("*" not in self.path and self.path in path)


class Latency(Fault, tag="latency"):
    """Answer late."""

    seconds: float


class Status(Fault, tag="status"):
    """Answer with an error page, in HTML by default."""

    status: int = 503
    body: str | None = None
    content_type: str = "text/html; charset=utf-8"
    retry_after: int | None = None


class Answer(Fault, tag="answer"):
    """Give another answer, byte for byte, or change the real one.

    `content`, or `base64`, takes its place, without the request being worked on; else `edits` are
    made in the real one. Then the body is `repeat`ed, compressed with `gzip`, and cut off after
    `truncated` bytes, as if that were all of it. `headers` replace or add some; null takes one
    away. With a `pause` (seconds) the body goes out in pieces of `chunk` bytes; `endless` begins it
    again and again.
    """

    status: Annotated[int, Meta(ge=200, le=999)] | None = None
    headers: dict[HeaderText, HeaderText | list[HeaderText] | None] = {}
    content: str | None = None
    base64: bytes | None = None
    content_type: HeaderText = "application/json"
    edits: list[AnyEdit] = []
    repeat: Annotated[int, Meta(ge=0)] = 1
    gzip: bool = False
    truncated: Annotated[int, Meta(ge=0)] | None = None
    chunk: Annotated[int, Meta(ge=1)] | None = None
    pause: Annotated[float, Meta(ge=0)] = 0
    endless: bool = False


class TooMany(Fault, tag="rate_limit"):
    """Answer 429. `retry_after` in seconds, written as a number or as an HTTP date, or left out."""

    retry_after: int | None = 5
    form: Literal["seconds", "date"] = "seconds"


class Throttle(Fault, tag="throttle"):
    """Allow `limit` requests in `window` seconds for each application, and 429 the rest."""

    limit: int
    window: float = 60
    form: Literal["seconds", "date"] = "seconds"


class Cut(Fault, tag="cut"):
    """Close the connection: before the request is worked on, after it, or half-way in the answer.

    `answered` on the token path is the case that loses a rotation.
    """

    when: Literal["before", "answered", "middle"] = "before"


class Deny(Fault, tag="deny"):
    """Refuse what the token may do otherwise.

    `scope` is 403; `feature` is the 401 with errno 1003 that no refresh mends; `plan` is errno
    12001 inside a 200 (docs/freshbooks-api/accounting.md §8).
    """

    reason: Literal["scope", "feature", "plan"] = "scope"


class ExpireToken(Fault, tag="expire_token"):
    """Let the access tokens of the application that asks die before the answer."""


class ChangeRows(Fault, tag="change"):
    """Create, update or delete rows once the answer is made, or before it."""

    action: Literal["create", "update", "delete"]
    resource: str
    business: str = "1"
    which: int | str = "newest"
    values: dict[str, Any] = {}
    count: int = 1
    when: Literal["before", "after"] = "after"


class DeliveryFault(Conditions, kw_only=True):
    """A fault of deliveries of webhooks: `event` is a glob over their name."""

    event: str = "*"
    callback: int | None = None

    def concerns(self, event: str, callback: int) -> bool:
        """Whether a message is of the kind."""
        return fnmatchcase(event, self.event) and self.callback in (None, callback)


class Lose(DeliveryFault, tag="lose"):
    """Never send it."""


class Delay(DeliveryFault, tag="delay"):
    """Send it `seconds` later."""

    seconds: float


class Duplicate(DeliveryFault, tag="duplicate"):
    """Send it `copies` times more."""

    copies: int = 1


class Shuffle(DeliveryFault, tag="shuffle"):
    """Hold back `count` of them, then send the last first."""

    count: int = 2


class Forge(DeliveryFault, tag="forge"):
    """Sign it with another secret, over something else, or not at all."""

    how: Forgery = "secret"


AnyFault = Latency | Status | Answer | TooMany | Throttle | Cut | Deny | ExpireToken | ChangeRows
AnyDeliveryFault = Lose | Delay | Duplicate | Shuffle | Forge


class Armed:
    """A fault with its counters."""

    def __init__(self, fault: AnyFault | AnyDeliveryFault) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._random = random.Random(fault.seed)  # noqa: S311 reproducible, not secret
        self._limit = RateLimit(fault.limit, fault.window) if isinstance(fault, Throttle) else None

    def fires(self, client_id: str | None = None) -> bool:
        """Count a request or delivery that it concerns, and say whether it is hit."""
        fault = self.fault
        if fault.times is not None and self.fired >= fault.times:
            return False
        self.seen += 1
        if self.seen <= fault.skip:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        if self._limit is not None and self._limit.take(client_id).is_allowed:
            return False
        self.fired += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The fault as it was ordered, with its counters."""
        return {**msgspec.to_builtins(self.fault), "seen": self.seen, "fired": self.fired}


class Faults:
    """All faults in force, in the order in which they were added."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []

    def add(self, fault: AnyFault | AnyDeliveryFault) -> Armed:
        """Put a fault in force."""
        armed = Armed(fault)
        self._armed.append(armed)
        return armed

    def due(self, method: str, path: str, client_id: str | None) -> list[AnyFault]:
        """The faults that hit this request."""
        return [
            armed.fault
            for armed in self._armed
            if isinstance(armed.fault, Fault)
            and armed.fault.concerns(method, path, client_id)
            and armed.fires(client_id)
        ]

    def refuses(self, path: str, client_id: str) -> bool:
        """Whether a read of a path is without its feature or plan; it counts as no request."""
        return any(
            isinstance(armed.fault, Deny)
            and armed.fault.reason != "scope"
            and armed.fault.concerns("GET", path, client_id)
            for armed in self._armed
        )

    def due_to(self, event: str, callback: int) -> list[AnyDeliveryFault]:
        """The faults that hit this delivery."""
        return [
            armed.fault
            for armed in self._armed
            if isinstance(armed.fault, DeliveryFault)
            and armed.fault.concerns(event, callback)
            and armed.fires()
        ]

    def list(self) -> list[dict[str, Any]]:
        """All of them with their counters."""
        return [armed.as_dict() for armed in self._armed]

    def clear(self) -> None:
        """End all faults."""
        self._armed.clear()
