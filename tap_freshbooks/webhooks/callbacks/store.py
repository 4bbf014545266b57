"""Our callbacks and their verifiers, and the changes without an event, as the inbox keeps them."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tap_freshbooks.webhooks.inbox import gap
from tap_freshbooks.webhooks.tables import CALLBACKS, MISSES, VERIFIERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_freshbooks.webhooks.inbox import Event, Inbox


@dataclass(frozen=True, slots=True)
class Callback:
    """One of our callbacks.

    Attributes:
        path: Its unguessable path at the receiver: a delivery does not say which callback it
            belongs to, and each has its own verifier.
        account_id: Whose events come.
        noun: The bare noun that it is registered for.
        uri: Where FreshBooks sends them, the path included.
        callbackid: What FreshBooks calls it; None while it is not known to have registered it.
        verified: Whether FreshBooks sends events, as far as we know.
        verified_at: Since when, epoch seconds.
        checked_at: When FreshBooks was asked last whether it is verified.
        asked_at: When FreshBooks was asked last for a verification.
        last_event_at: When the last genuine event came.
        events: How many have come.
    """

    path: str
    account_id: str
    noun: str
    uri: str
    callbackid: int | None = None
    verified: bool = False
    verified_at: float | None = None
    checked_at: float | None = None
    asked_at: float | None = None
    last_event_at: float | None = None
    events: int = 0


@dataclass(frozen=True, slots=True)
class Verifier:
    """A secret that FreshBooks has sent, and whether it took it back. Never shown or logged."""

    path: str
    verifier: str
    callbackid: int
    accepted: bool

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Verifier({self.path[:6]}…, callback {self.callbackid}, accepted={self.accepted})"


CALLBACK_PATH = re.compile(r"tap-freshbooks-[\w-]{32}")
"""The last segment of a callback's address, if it is one of ours."""


def new_path() -> str:
    """A path that nobody can guess, and that tells our callbacks from those of other programs."""
    return f"tap-freshbooks-{secrets.token_urlsafe(24)}"


class CallbackStore:
    """The callbacks and verifiers of an inbox. Each method is one transaction, on disk at its end.

    Raises:
        InboxError: From every method, if the database does not answer.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def all(self) -> list[Callback]:
        """Every callback, by account and noun."""
        query = sa.select(CALLBACKS).order_by(CALLBACKS.c.account_id, CALLBACKS.c.noun)
        with self.inbox.reading() as connection:
            return [Callback(**row) for row in connection.execute(query).mappings()]

    def find(self, path: str) -> Callback | None:
        """The callback with a path."""
        query = sa.select(CALLBACKS).filter_by(path=path)
        with self.inbox.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Callback(**row) if row else None

    def add(self, account_id: str, noun: str, base_url: str) -> Callback:
        """Store a callback before it is registered: FreshBooks may verify it at once.

        Processes that want the same one at the same time get the same.
        """
        path = new_path()
        callback = Callback(path, account_id, noun, f"{base_url}/{path}", asked_at=time.time())
        values = {name: getattr(callback, name) for name in Callback.__slots__}
        same = sa.select(CALLBACKS).filter_by(account_id=account_id, noun=noun)
        with self.inbox.writing() as connection:
            for row in connection.execute(same).mappings():
                if row["uri"].rpartition("/")[0] == base_url:
                    return Callback(**row)
            connection.execute(CALLBACKS.insert().values(values))
        return callback

    def renew(self, old: Callback) -> Callback | None:
        """Give a callback another path, and forget its verifiers; it is to be registered anew.

        None if another process has done so.
        """
        path, now = new_path(), time.time()
        values = {
            "path": path,
            "uri": f"{old.uri.rpartition('/')[0]}/{path}",
            "callbackid": None,
            "verified": False,
            "asked_at": now,
            "checked_at": now,
        }
        with self.inbox.writing() as connection:
            renewed = CALLBACKS.update().filter_by(path=old.path).values(values)
            if not connection.execute(renewed).rowcount:
                return None
            connection.execute(VERIFIERS.delete().filter_by(path=old.path))
        return self.find(path)

    def mark_checked(self, account_id: str) -> None:
        """Note that FreshBooks is asked for the callbacks of an account."""
        now = time.time()
        with self.inbox.writing() as connection:
            connection.execute(
                CALLBACKS.update().filter_by(account_id=account_id).values(checked_at=now)
            )

    def paths(self) -> set[str]:
        """The paths of all callbacks."""
        with self.inbox.reading() as connection:
            return set(connection.scalars(sa.select(CALLBACKS.c.path)))

    def update(self, path: str, **values: Any) -> None:
        """Change columns of a callback."""
        with self.inbox.writing() as connection:
            connection.execute(CALLBACKS.update().filter_by(path=path).values(values))

    def remove(self, path: str) -> None:
        """Forget a callback and its verifiers."""
        with self.inbox.writing() as connection:
            for table in (CALLBACKS, VERIFIERS):
                connection.execute(table.delete().filter_by(path=path))

    # Verification

    def verifiers(self, path: str) -> list[Verifier]:
        """The verifiers of a callback, the newest first."""
        return self._verifiers(VERIFIERS.c.path == path)

    def pending_verifiers(self) -> list[Verifier]:
        """Verifiers that FreshBooks has not yet taken back."""
        return self._verifiers(VERIFIERS.c.is_pending)

    def add_verifier(self, path: str, verifier: str, callbackid: int) -> None:
        """Store a verifier for ever; FreshBooks wants it back, also one that it sends again."""
        key = {"path": path, "verifier": verifier}
        values = {"callbackid": callbackid, "received_at": time.time(), "is_pending": True}
        with self.inbox.writing() as connection:
            known = connection.execute(VERIFIERS.update().filter_by(**key).values(values))
            if not known.rowcount:
                connection.execute(VERIFIERS.insert().values({**key, **values}))

    def accept_verifier(self, verifier: Verifier) -> None:
        """Note that FreshBooks took a verifier back, and so will send events from now on."""
        now = time.time()
        key = {"path": verifier.path, "verifier": verifier.verifier}
        with self.inbox.writing() as connection:
            values = {"accepted_at": now, "is_pending": False}
            known = connection.execute(VERIFIERS.update().filter_by(**key).values(values))
            if not known.rowcount:  # another process gave it back too, and was refused
                received = {"callbackid": verifier.callbackid, "received_at": now}
                connection.execute(VERIFIERS.insert().values({**key, **received, **values}))
            self._mark_verified(connection, verifier.path, verifier.callbackid, now)

    def reject_verifier(self, verifier: Verifier) -> None:
        """Note that FreshBooks refuses a verifier; one that it never took is forgotten."""
        key = {"path": verifier.path, "verifier": verifier.verifier}
        with self.inbox.writing() as connection:
            connection.execute(VERIFIERS.delete().filter_by(**key, accepted_at=None))
            connection.execute(VERIFIERS.update().filter_by(**key).values(is_pending=False))

    def record_status(self, path: str, *, verified: bool, as_of: float) -> None:
        """Note what FreshBooks says of a callback; where that changes, events may be missing.

        Args:
            path: Of the callback.
            verified: What it says.
            as_of: When it was asked, epoch seconds; a verification since then counts more.
        """
        now = time.time()
        with self.inbox.writing() as connection:
            row = connection.execute(sa.select(CALLBACKS).filter_by(path=path)).mappings().first()
            if row is None or (row["verified_at"] or 0.0) > as_of:
                return
            connection.execute(CALLBACKS.update().filter_by(path=path).values(checked_at=now))
            if verified and not row["verified"]:
                self._mark_verified(connection, path, row["callbackid"], now)
            elif row["verified"] and not verified:
                connection.execute(CALLBACKS.update().filter_by(path=path).values(verified=False))
                reason = "FreshBooks had switched the callback off"
                self.inbox.append_in(connection, [gap(row["account_id"], row["noun"], reason)])

    def _mark_verified(
        self, connection: sa.Connection, path: str, callbackid: int, now: float
    ) -> None:
        """Note that a callback is verified, and that events before that may be missing."""
        row = connection.execute(sa.select(CALLBACKS).filter_by(path=path)).mappings().first()
        if row is None:
            return
        values = {"verified": True, "verified_at": now, "checked_at": now, "callbackid": callbackid}
        connection.execute(CALLBACKS.update().filter_by(path=path).values(values))
        if not row["verified"]:
            reason = "events flow since the callback was verified"
            self.inbox.append_in(connection, [gap(row["account_id"], row["noun"], reason)])

    def _verifiers(self, condition: sa.ColumnElement[bool]) -> list[Verifier]:
        query = sa.select(VERIFIERS).where(condition).order_by(VERIFIERS.c.received_at.desc())
        with self.inbox.reading() as connection:
            return [
                Verifier(
                    row["path"], row["verifier"], row["callbackid"], row["accepted_at"] is not None
                )
                for row in connection.execute(query).mappings()
            ]

    # Events

    def append_events(self, batch: Sequence[tuple[str, Event]]) -> None:
        """Append events to the inbox, and count them, in one transaction.

        Args:
            batch: Each event, and the path of the callback that it came to.
        """
        numbers = Counter(path for path, _ in batch)
        now = time.time()
        with self.inbox.writing() as connection:
            self.inbox.append_in(connection, [event for _, event in batch])
            # In one order everywhere, and each row once.
            connection.execute(
                CALLBACKS.update()
                .where(CALLBACKS.c.path == sa.bindparam("of"))
                .values(events=CALLBACKS.c.events + sa.bindparam("more"), last_event_at=now),
                [{"of": path, "more": number} for path, number in sorted(numbers.items())],
            )

    # Changes without an event

    def add_missed_rows(self, account_id: str, noun: str, rows: int) -> None:
        """Count rows that a read of the lists found changed, and of which no event had come."""
        key = {"account_id": account_id, "noun": noun}
        now = time.time()
        with self.inbox.writing() as connection:
            more = {"rows": MISSES.c.rows + rows, "found_at": now}
            if not connection.execute(MISSES.update().filter_by(**key).values(more)).rowcount:
                connection.execute(MISSES.insert().values({**key, "rows": rows, "found_at": now}))

    def missed_rows(self) -> dict[tuple[str, str], tuple[int, float]]:
        """Rows without an event, and when the last was found, by account and noun."""
        with self.inbox.reading() as connection:
            found = connection.execute(sa.select(MISSES)).mappings()
            return {
                (row["account_id"], row["noun"]): (row["rows"], row["found_at"]) for row in found
            }
