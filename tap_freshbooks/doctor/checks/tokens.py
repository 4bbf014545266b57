"""Tokens: a dead one, the old one after a refresh, and what is counted without being shown."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_freshbooks.businesses import IDENTITY_PATH
from tap_freshbooks.doctor.checks.base import ConnectionCheck
from tap_freshbooks.doctor.evidence import Ask
from tap_freshbooks.doctor.findings import NotTestedError, Verdict
from tap_freshbooks.doctor.tokens import answer_to
from tap_freshbooks.streams.resources.account import Callbacks, PaymentGateways
from tap_freshbooks.streams.resources.invoices import Invoices
from tap_freshbooks.streams.resources.people import Clients
from tap_freshbooks.streams.resources.spend import Expenses

if TYPE_CHECKING:
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.doctor.evidence import Evidence

DEAD_TOKEN = "a-token-that-never-lived"  # noqa: S105 - none
TOLERANCE = 300
"""Seconds between the making of a token and the answer that is compared with it."""


class SideUnauthenticated(ConnectionCheck):
    """In which words events and payments refuse a token that is none."""

    name = "side_unauthenticated"
    follow_ups = 2

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        accounts = [each.account_id for each in connection.businesses if each.account_id]
        if not accounts:
            raise NotTestedError("no business has an account_id")
        values = set()
        for stream in (Callbacks, PaymentGateways):
            evidence.spend()
            ask = Ask.of(stream.path.format(account_id=accounts[0]))
            response = answer_to(connection, DEAD_TOKEN, ask)
            if response is None or response.status != HTTPStatus.UNAUTHORIZED:
                raise NotTestedError("a token that never lived was not answered with a 401")
            values.add(_words_of(response.body))
        return self.found(values.pop() if len(values) == 1 else "other")


def _words_of(body: Any) -> str:
    if not isinstance(body, dict):
        return "other"
    if body.get("error") == "unauthenticated":
        return "common"
    return "own" if "errno" in body or "error_type" in body else "other"


class OldAccessToken(ConnectionCheck):
    """Whether the old access token still opens users/me after a refresh."""

    name = "old_access_token"
    spends_a_refresh = True
    follow_ups = 2

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        if connection.is_static:
            raise NotTestedError("there is no refresh token")
        old = evidence.refresh(connection)
        evidence.spend()
        response = answer_to(connection, old, Ask.of(IDENTITY_PATH))
        if response is None:
            raise NotTestedError("FreshBooks did not answer")
        return self.found("lives" if response.status == HTTPStatus.OK else "dies")


class RefreshCreatedAt(ConnectionCheck):
    """Whether the answer to a refresh counts the lifetime from the refresh."""

    name = "refresh_created_at"
    spends_a_refresh = True
    follow_ups = 2

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        if connection.is_static:
            raise NotTestedError("there is no refresh token")
        evidence.refresh(connection)
        now = evidence.answer(Ask.of(IDENTITY_PATH)).date
        created_at = connection.refreshing_authenticator.created_at
        if created_at is None or now is None:
            raise NotTestedError("the answer to the refresh names no created_at")
        age = now.timestamp() - created_at
        return self.found("now" if age < TOLERANCE else "original")


class Total(ConnectionCheck):
    """Whether `total` counts rows that the token may not read: seen where the user is a client."""

    name = "total"
    follow_ups = 3

    @override
    def judge(self, connection: Connection, evidence: Evidence) -> Verdict:
        if connection.config.get("business_ids"):
            raise NotTestedError("the setting business_ids leaves out where the user is a client")
        accounts = [
            each.account_id
            for each in connection.members
            if each.is_client_only and each.account_id
        ]
        if not accounts:
            raise NotTestedError("the user is a client of no business")
        is_told = False
        for stream in (Invoices, Expenses, Clients):
            path = stream.path.format(account_id=accounts[0])
            ask = Ask.of(path, {"page": 1, "per_page": 100})
            try:
                listing = evidence.listing(ask, stream.records)
            except NotTestedError:
                continue
            total = listing.metadata.total
            if total is None or len(listing.rows) == 100:  # noqa: PLR2004
                continue
            if total > len(listing.rows):
                return self.found("all")
            is_told = True
        if not is_told:
            raise NotTestedError("no list of the business was answered")
        return self.found("visible", "nothing is counted that is not shown, as far as can be told")
