"""A tap and its target, over several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.target import Target
from tests.support import sync

if TYPE_CHECKING:
    from tests.faults.target import Key
    from tests.support import Messages, Record


class Pipeline:
    """A tap and a target that removes what is of another version than the activated one.

    Args:
        config: Of the tap.
        streams: To select.
        target: Where another pipeline writes too; default: one of its own.
    """

    def __init__(self, config: dict[str, Any], *streams: str, target: Target | None = None) -> None:
        self.config = config
        self.streams = streams
        self.target = target or Target()
        self.state: dict[str, Any] | None = None

    def run(self, **settings: Any) -> Messages:
        """Run the tap with the state that the target has seen."""
        messages = sync({**self.config, **settings}, *self.streams, state=self.state)
        self.load(messages)
        return messages

    def load(self, messages: Messages) -> None:
        """Let the target take the output of a run."""
        for message in messages.all:
            self.target.apply(message)
        self.state = messages.state or self.state

    def keys(self) -> set[tuple[str, Key]]:
        """All rows of all tables."""
        return {(stream, key) for stream in self.streams for key in self.target.table(stream)}

    def living(self) -> set[tuple[str, Key]]:
        """Those of them that no tombstone has marked."""
        return {
            (stream, key)
            for stream in self.streams
            for key, row in self.target.table(stream).items()
            if not row.get("_sdc_deleted_at")
        }


def activated(messages: Messages) -> set[tuple[str, int]]:
    """Tables and the versions that were activated."""
    return {
        (message["stream"], message["version"])
        for message in messages.all
        if message["type"] == "ACTIVATE_VERSION"
    }


def versions(messages: Messages) -> set[tuple[str, int | None]]:
    """Tables and the versions of their records."""
    return {
        (message["stream"], message.get("version"))
        for message in messages.all
        if message["type"] == "RECORD"
    }


def tombstones(messages: Messages, stream: str) -> list[Record]:
    """The records that say that a row is gone."""
    return [row for row in messages.records[stream] if row.get("_sdc_deleted_at")]
