"""A clock that the tap and the sandbox share, and that a program can move."""

from __future__ import annotations

import importlib
import pkgutil
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

import tap_freshbooks

if TYPE_CHECKING:
    from datetime import tzinfo
    from types import TracebackType

REAL = time.time
REAL_DATETIME = datetime


class SharedClock:
    """Moves `time.time` of the process, and `datetime.now` of the tap's modules, while it is open.

    The sandbox reads `time.time`, as tokens and the webhook inbox do; bookmarks `datetime.now`.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self._patches: list[Any] = []
        self._moved = _moved_datetime(self)

    def time(self) -> float:
        """Seconds since the epoch."""
        return REAL() + self.ahead

    def _take_over(self) -> None:
        """Let all modules follow, those included that a run imports late."""
        for found in pkgutil.walk_packages(tap_freshbooks.__path__, "tap_freshbooks."):
            if not found.name.endswith("__main__"):
                module = importlib.import_module(found.name)
                if vars(module).get("datetime") is datetime:
                    self._begin(mock.patch.object(module, "datetime", self._moved))

    def _begin(self, patch: Any) -> None:
        patch.start()
        self._patches.append(patch)

    def __enter__(self) -> Self:
        self._begin(mock.patch.object(time, "time", self.time))
        self._take_over()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._patches:
            self._patches.pop().stop()


def _moved_datetime(clock: SharedClock) -> type:
    """A `datetime` that makes ordinary ones, and whose present is the clock's."""

    class Kind(type(datetime)):  # type: ignore[misc]  # the metaclass is that of a C type
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, REAL_DATETIME)

    class Moved(datetime, metaclass=Kind):
        def __new__(cls, *parts: Any, **named: Any) -> datetime:  # type: ignore[misc]
            return datetime(*parts, **named)  # noqa: DTZ001 - as the caller says

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=clock.ahead)

    return Moved
