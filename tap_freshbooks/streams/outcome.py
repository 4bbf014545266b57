"""Outcome: what a run has read, what was refused to it, and what failed, stream by stream."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError

from tap_freshbooks.errors import StreamsFailedError, ends_run, sentence_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_freshbooks.businesses import Business

logger = logging.getLogger("tap-freshbooks")

MOST_REASONS = 20
"""Sentences about one stream that are kept for the report of the run."""

Partition = tuple[tuple[str, Any], ...]


def concerns_run(error: Exception) -> bool:
    """Whether an error ends the run; those of the SDK are about settings, such as stream_maps."""
    return ends_run(error) or isinstance(error, SingerSDKError)


@dataclass(frozen=True, slots=True)
class Source:
    """What was read: a partition of a stream, or all of them.

    Attributes:
        stream: Name of the stream.
        partition: None for all.
        business: Whose rows they are; None if that is of no account.
    """

    stream: str
    partition: Mapping[str, Any] | None
    business: Business | None

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.stream} of {self.business}" if self.business else self.stream


class Outcome:
    """Keeps account of what could not be read, and sums it up at the end of the run.

    A stream is named by itself here, also one that is derived: what its source could not read of
    a business, it does not have either.
    """

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._waiting: set[str] = set()
        self._refused: dict[str, list[str]] = {}
        self._told: list[str] = []
        self._lacking: set[tuple[str, tuple[str, ...]]] = set()
        self._failed: dict[str, list[str]] = {}
        self._reasons: dict[str, list[str]] = {}
        self._failed_partitions: set[tuple[str, str, Partition | None]] = set()

    def note_read(self, stream: str) -> None:
        """A stream that needs a permission was read, of one business at least."""
        self._read.add(stream)

    def note_waiting(self, stream: str) -> None:
        """A stream is not due yet, of one business at least."""
        self._waiting.add(stream)

    def note_refusal(self, stream: str, sentence: str, scopes: tuple[str, ...] = ()) -> bool:
        """The token, the role or the plan do not allow to read a stream of a business.

        Args:
            stream: Its name.
            sentence: Says so, and why.
            scopes: Those that the token lacks, if that is why: it lacks them for every business.

        Returns:
            Whether the same has been told of another business.
        """
        self._refused.setdefault(stream, []).append(sentence)
        if scopes and (stream, scopes) in self._lacking:
            return True
        self._lacking.add((stream, scopes))
        self._told.append(sentence)
        return False

    def fail(self, source: Source, consumers: Sequence[str], error: Exception) -> None:
        """Something went wrong, and some streams lack rows.

        Args:
            source: What was read.
            consumers: Names of the streams that lack rows.
            error: What went wrong.
        """
        self.lack(source, consumers)
        logger.debug("Traceback", exc_info=error)
        sentence = sentence_of(error).removeprefix(f"{source.stream}: ")
        if not sentence.startswith(str(source)):  # as that of a report does, with a period
            sentence = f"{source}: {sentence}"
        for stream in consumers:
            if len(reasons := self._reasons.setdefault(stream, [])) < MOST_REASONS:
                reasons.append(sentence)
        logger.error(
            "Failed: %s. The bookmark of %s stays where it was", sentence, ", ".join(consumers)
        )

    def lack(self, source: Source, consumers: Sequence[str]) -> None:
        """Some streams lack rows, and it has been said why.

        Args:
            source: What was to be read.
            consumers: Names of these streams.
        """
        for stream in consumers:
            businesses = self._failed.setdefault(stream, [])
            if source.business and str(source.business) not in businesses:
                businesses.append(str(source.business))
            self._failed_partitions.add((stream, source.stream, _key(source.partition)))

    def has_failed(self, stream: str, source: str, partition: Mapping[str, Any] | None) -> bool:
        """Whether a stream lacks rows of a partition of its source; of any, if it is None."""
        if partition is None:
            return any(failed[:2] == (stream, source) for failed in self._failed_partitions)
        keys = (_key(partition), None)
        return any((stream, source, key) in self._failed_partitions for key in keys)

    def has_succeeded(self, stream: str, sources: Collection[str]) -> bool:
        """Whether a stream was read, and lacks nothing at the end of the run.

        Args:
            stream: Its name.
            sources: Names of the streams that are read for it; its own, unless it is derived.
        """
        if stream in self._failed or self._waiting - self._read >= set(sources):
            return False
        refused = [each for each in sources if each in self._refused and each not in self._read]
        return stream in self._read or not refused

    @property
    def failures(self) -> dict[str, list[str]]:
        """The streams that lack rows, and why, as far as there is room for it."""
        return {
            stream: self._reasons.get(stream) or [f"not read of {each}" for each in businesses]
            for stream, businesses in self._failed.items()
        }

    @property
    def refusals(self) -> dict[str, list[str]]:
        """The streams that were refused, of some businesses or all, and why."""
        return {stream: texts[:MOST_REASONS] for stream, texts in self._refused.items()}

    def report(self) -> None:
        """Log what was not read: a line for all refusals, and one for each stream that failed."""
        if self._told:
            logger.warning("Not read: %s", "; ".join(self._told))
        for stream, businesses in self._failed.items():
            whose = f" of {', '.join(businesses)}" if businesses else ""
            logger.error("Not read completely: %s%s", stream, whose)

    def check(self) -> None:
        """Let the run fail, if it has to.

        Raises:
            StreamsFailedError: If a stream failed, or if none could be read.
        """
        if self._failed:
            number = len(self._failed)
            raise StreamsFailedError(
                f"{number} {'stream' if number == 1 else 'streams'} could not be read completely: "
                f"{', '.join(self._failed)} (the lines above say why). All others were read, and "
                "their states are written; the next run reads again what failed"
            )
        if self._refused and not self._read and not self._waiting:
            raise StreamsFailedError(
                f"FreshBooks refused every stream that was to be read: {', '.join(self._refused)}. "
                "`tap-freshbooks status` shows what the token may read; `tap-freshbooks login` "
                "connects the account with other scopes"
            )


def _key(partition: Mapping[str, Any] | None) -> Partition | None:
    return None if partition is None else tuple(sorted(partition.items()))
