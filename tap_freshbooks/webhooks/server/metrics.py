"""The counters of a receiver, for Prometheus."""

from __future__ import annotations

import math
import time
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

OUTCOMES = {
    HTTPStatus.OK: "taken",
    HTTPStatus.BAD_REQUEST: "malformed",
    HTTPStatus.UNAUTHORIZED: "forged",
    HTTPStatus.NOT_FOUND: "unknown_path",
    HTTPStatus.REQUEST_TIMEOUT: "too_slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many",
    HTTPStatus.SERVICE_UNAVAILABLE: "turned_away",
}


MAX_AGE = 1.0
"""Seconds for which the text of all counters is shown again: to write it takes a millisecond."""


class Metrics:
    """The counters of one receiver, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._text, self._text_at = b"", -math.inf
        self._deliveries = Counter(
            "freshbooks_webhooks_deliveries",
            "Deliveries, by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "freshbooks_webhooks_answer_seconds",
            "Time until a delivery was answered",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self._commits = Histogram(
            "freshbooks_webhooks_commit_seconds",
            "Time for one durable commit",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10),
            registry=self.registry,
        )
        self._per_commit = Histogram(
            "freshbooks_webhooks_commit_deliveries",
            "Deliveries that one commit has stored",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 1000),
            registry=self.registry,
        )
        self._last = Gauge(
            "freshbooks_webhooks_last_stored_timestamp_seconds",
            "When a delivery was stored last",
            registry=self.registry,
        )
        self._pending = Gauge(
            "freshbooks_webhooks_verifications_pending",
            "Verifiers that FreshBooks waits for",
            registry=self.registry,
        )
        for outcome in OUTCOMES.values():
            self._deliveries.labels(outcome)

    def count_delivery(self, status: HTTPStatus, seconds: float) -> None:
        """Count a delivery and its answer."""
        self._deliveries.labels(OUTCOMES.get(status, "other")).inc()
        self._seconds.observe(seconds)

    def count_commit(self, deliveries: int, seconds: float) -> None:
        """Count a transaction that stored deliveries."""
        self._commits.observe(seconds)
        self._per_commit.observe(deliveries)
        self._last.set(time.time())

    def set_pending(self, number: int) -> None:
        """Set how many verifiers FreshBooks waits for."""
        self._pending.set(number)

    def text(self) -> bytes:
        """All counters, in the format of Prometheus; anew once a second, however many ask."""
        now = time.monotonic()
        if now - self._text_at >= MAX_AGE:
            self._text, self._text_at = generate_latest(self.registry), now
        return self._text
