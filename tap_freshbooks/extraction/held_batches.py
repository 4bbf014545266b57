"""HeldBatches: what was read of a partition, in little memory, until it is delivered."""

from __future__ import annotations

import pickle
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.extraction.batch import Batch


class HeldBatches:
    """Batches in their order, compressed.

    Attributes:
        size: Bytes that they take up.
    """

    def __init__(self) -> None:
        self.size = 0
        self._batches: list[bytes] = []

    def add(self, batch: Batch) -> None:
        """Add a batch."""
        self._batches.append(zlib.compress(pickle.dumps(batch), level=1))
        self.size += len(self._batches[-1])

    def take(self) -> Iterator[Batch]:
        """All batches; they are not kept."""
        batches, self._batches = self._batches[::-1], []
        while batches:
            yield pickle.loads(zlib.decompress(batches.pop()))  # noqa: S301 - these are our own
