"""LoneStream: a stream that fails alone.

What is wrong with the answers for one partition costs that partition of this stream, and of the
streams that it feeds. The run goes on with the others.
"""

from __future__ import annotations

import logging
from abc import ABC
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from tap_freshbooks.errors import MissingScopeError
from tap_freshbooks.streams.deletion_marks import MarkedStream
from tap_freshbooks.streams.outcome import Source, concerns_run
from tap_freshbooks.streams.refusals import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_freshbooks.errors import FreshBooksError
    from tap_freshbooks.streams.bookmarks import BookmarkedStream


class LoneStream(MarkedStream, ABC):
    """A stream whose failures cost no other stream anything."""

    oauth_scope: ClassVar[str]
    """OAuth scopes that the token needs, separated by blanks."""

    plan_features: ClassVar[tuple[str, ...]] = ()
    """Flags of users/me that may say whether the plan has it (`docs/freshbooks-api/auth.md §9`)."""

    @contextmanager
    def _failing_alone(
        self, partition: Context | None, consumers: Sequence[BookmarkedStream] | None = None
    ) -> Iterator[None]:
        """What goes wrong inside the block costs some streams this partition, and no more.

        Args:
            partition: What is read; None for what belongs to none.
            consumers: The streams; default: all that are fed by this one.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - foreign input may be wrong in any way
            self.fail(partition, error, self.consumers if consumers is None else consumers)

    def fail(
        self, partition: Context | None, error: Exception, consumers: Sequence[BookmarkedStream]
    ) -> None:
        """Give up a partition for some of the streams that are fed by it: their bookmarks stay.

        Raises:
            Exception: The error, if it concerns more, or in a test of the connection.
        """
        if concerns_run(error) or self.ABORT_AT_RECORD_COUNT is not None:
            raise error
        business = self.business_of(partition) if partition else None
        source = Source(self.name, partition, business)
        self.run.outcome.fail(source, [consumer.name for consumer in consumers], error)

    def refuse(self, error: FreshBooksError, account_id: str | None) -> None:
        """Leave out what the token, the role or the plan do not allow; or fail, if so wanted."""
        reasons = explain(self.connection, account_id, self.plan_features)
        sentence = f"{error}{reasons} (its scope is {self.oauth_scope})"
        if self.config["fail_on_skipped"]:
            raise error.restated(sentence)
        scopes = error.scopes if isinstance(error, MissingScopeError) else ()
        is_told = self.run.outcome.note_refusal(self.name, sentence, scopes)
        self.logger.log(logging.DEBUG if is_told else logging.WARNING, "Skipped %s", sentence)
