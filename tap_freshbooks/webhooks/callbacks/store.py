"""What the inbox knows of our callbacks, their secrets, and the receivers that listen."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.webhooks.inbox import ANY, META, gap

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.inbox import Inbox

PATIENCE = 60.0
"""Seconds without a receiver after which deliveries may be lost.

FreshBooks tries again "periodically" and drops a message after several failures, without numbers
(`docs/freshbooks-api/webhooks.md §7`); a restart shall not cost a reading, an outage shall.
"""

BEAT = 10.0
"""Seconds between two signs of life of a receiver."""

CALLBACKS = sa.Table(
    "tap_freshbooks_callbacks",
    META,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("callbackid", sa.BigInteger),
    sa.Column("verified", sa.Boolean, nullable=False, default=False),
    sa.Column("verified_at", sa.Double),
    sa.Column("checked_at", sa.Double),
    sa.Column("asked_at", sa.Double),
    sa.Column("last_event_at", sa.Double),
    sa.Column("events", sa.BigInteger, nullable=False, default=0),
)

VERIFIERS = sa.Table(
    "tap_freshbooks_verifiers",
    META,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("verifier", sa.Text, primary_key=True),
    sa.Column("callbackid", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("accepted_at", sa.Double),
    sa.Column("is_pending", sa.Boolean, nullable=False),
)

RECEIVERS = sa.Table(
    "tap_freshbooks_receivers",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),
)

MISSES = sa.Table(
    "tap_freshbooks_misses",
    META,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("noun", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("found_at", sa.Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Callback:
    """One of our callbacks.

    Attributes:
        path: Its unguessable path at the receiver: a delivery does not say which callback it
            belongs to, and each has its own secret.
        account_id: Whose events come.
        noun: The bare noun that it is registered for.
        uri: Where FreshBooks sends them, the path included.
        callbackid: What FreshBooks calls it; None while it is not known to have registered it.
        verified: Whether events flow, as far as we know.
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


OURS = re.compile(r"tap-freshbooks-[\w-]{32}")
"""What the last segment of a callback's address looks like if it is one of ours."""


def new_path() -> str:
    """A path that nobody can guess, and that tells our callbacks from those of others."""
    return f"tap-freshbooks-{secrets.token_urlsafe(24)}"


class CallbackStore:
    """The callbacks and secrets of an inbox. Each method is one transaction, on disk at its end.

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

    def at(self, path: str) -> Callback | None:
        """The callback with a path."""
        query = sa.select(CALLBACKS).filter_by(path=path)
        with self.inbox.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Callback(**row) if row else None

    def add(self, account_id: str, noun: str, base_url: str) -> Callback:
        """A callback to register, kept before FreshBooks hears of it: it may verify it at once.

        Whoever wants the same at the same time gets the same.
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
        """Give a callback another path, and forget its secrets; to be registered anew.

        None if somebody else has done so.
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
        return self.at(path)

    def looked_at(self, account_id: str) -> None:
        """Note that the callbacks of an account are being looked at."""
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
        """Forget a callback and its secrets."""
        with self.inbox.writing() as connection:
            for table in (CALLBACKS, VERIFIERS):
                connection.execute(table.delete().filter_by(path=path))

    # Verification

    def verifiers(self, path: str) -> list[Verifier]:
        """The secrets of a callback, the newest first."""
        return self._verifiers(VERIFIERS.c.path == path)

    def pending(self) -> list[Verifier]:
        """Secrets that FreshBooks has not yet taken back."""
        return self._verifiers(VERIFIERS.c.is_pending)

    def keep(self, path: str, verifier: str, callbackid: int) -> None:
        """Store a secret for ever; FreshBooks wants it back, also one that it sends again."""
        key = {"path": path, "verifier": verifier}
        news = {"callbackid": callbackid, "received_at": time.time(), "is_pending": True}
        with self.inbox.writing() as connection:
            known = connection.execute(VERIFIERS.update().filter_by(**key).values(news))
            if not known.rowcount:
                connection.execute(VERIFIERS.insert().values({**key, **news}))

    def accept(self, verifier: Verifier) -> None:
        """FreshBooks took a secret back: events flow, and what happened before may be missing."""
        now = time.time()
        key = {"path": verifier.path, "verifier": verifier.verifier}
        with self.inbox.writing() as connection:
            values = {"accepted_at": now, "is_pending": False}
            known = connection.execute(VERIFIERS.update().filter_by(**key).values(values))
            if not known.rowcount:  # another process gave it back too, and was refused
                news = {"callbackid": verifier.callbackid, "received_at": now}
                connection.execute(VERIFIERS.insert().values({**key, **news, **values}))
            self._flows(connection, verifier.path, verifier.callbackid, now)

    def refuse(self, verifier: Verifier) -> None:
        """FreshBooks does not want a secret back; one that it has never taken is forgotten."""
        key = {"path": verifier.path, "verifier": verifier.verifier}
        with self.inbox.writing() as connection:
            connection.execute(VERIFIERS.delete().filter_by(**key, accepted_at=None))
            connection.execute(VERIFIERS.update().filter_by(**key).values(is_pending=False))

    def checked(self, path: str, *, verified: bool, as_of: float) -> None:
        """Note what FreshBooks says of a callback; that may end or begin the flow of events.

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
                self._flows(connection, path, row["callbackid"], now)
            elif row["verified"] and not verified:
                connection.execute(CALLBACKS.update().filter_by(path=path).values(verified=False))
                reason = "FreshBooks had switched the callback off"
                self.inbox.append_in(connection, [gap(row["account_id"], row["noun"], reason)])

    def _flows(self, connection: sa.Connection, path: str, callbackid: int, now: float) -> None:
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

    # Receivers

    def present(self, receiver: str) -> None:
        """A sign of life. The first one after a long silence of all leaves a gap in the inbox."""
        now = time.time()
        with self.inbox.writing() as connection:
            ahead = RECEIVERS.c.seen_at > now + PATIENCE  # of a clock that was wrong
            had_clock = not connection.execute(RECEIVERS.delete().where(ahead)).rowcount
            last = connection.scalar(sa.select(sa.func.max(RECEIVERS.c.seen_at)))
            changed = connection.execute(
                RECEIVERS.update().filter_by(id=receiver).values(seen_at=now)
            )
            if not changed.rowcount:
                connection.execute(RECEIVERS.insert().values(id=receiver, seen_at=now))
                forgotten = RECEIVERS.c.seen_at < now - 7 * 86_400
                connection.execute(RECEIVERS.delete().where(forgotten))
            if not had_clock or (last is not None and now - last > PATIENCE):
                since = utc_text_at(last) if last is not None else "an unknown moment"
                reason = f"no receiver ran from {since} to {utc_text_at(now)}"
                self.inbox.append_in(connection, [gap(ANY, ANY, reason)])

    def last_presence(self) -> float | None:
        """When a receiver gave a sign of life last, epoch seconds."""
        known = RECEIVERS.c.seen_at <= time.time() + PATIENCE
        query = sa.select(sa.func.max(RECEIVERS.c.seen_at)).where(known)
        with self.inbox.reading() as connection:
            last: float | None = connection.scalar(query)
        return last

    # What a sync and its users want to know

    def problems(self, account_id: str, noun: str) -> list[str]:
        """Why events of a noun cannot flow at the moment; none if they can, as far as we know."""
        ours = [each for each in self.all() if (each.account_id, each.noun) == (account_id, noun)]
        problems = []
        if not ours:
            problems.append("no callback is registered")
        elif not any(each.verified for each in ours):
            problems.append("its callback is not verified")
        last = self.last_presence()
        if last is None:
            problems.append("no receiver has ever run")
        elif time.time() - last > PATIENCE:
            problems.append(f"no receiver runs since {utc_text_at(last)}")
        return problems

    def missed(self, account_id: str, noun: str, rows: int) -> None:
        """Count rows that a reading of the lists brought and no event had told of."""
        key = {"account_id": account_id, "noun": noun}
        now = time.time()
        with self.inbox.writing() as connection:
            more = {"rows": MISSES.c.rows + rows, "found_at": now}
            if not connection.execute(MISSES.update().filter_by(**key).values(more)).rowcount:
                connection.execute(MISSES.insert().values({**key, "rows": rows, "found_at": now}))

    def misses(self) -> dict[tuple[str, str], tuple[int, float]]:
        """Rows that events have missed, and when the last was found, by account and noun."""
        with self.inbox.reading() as connection:
            found = connection.execute(sa.select(MISSES)).mappings()
            return {
                (row["account_id"], row["noun"]): (row["rows"], row["found_at"]) for row in found
            }
