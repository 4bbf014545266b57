"""Callbacks at FreshBooks: registered, verified, looked after, deleted.

See `docs/freshbooks-api/webhooks.md §2`.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from tap_freshbooks.errors import (
    BadRequestError,
    FreshBooksError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from tap_freshbooks.webhooks.callbacks.api import CallbackApi
from tap_freshbooks.webhooks.callbacks.store import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.callbacks.api import RemoteCallback
    from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore, Verifier

RESEND_EVERY = 300.0
"""Seconds between two requests to send a verification again that nobody asked for."""

ATTEMPTS = 3
"""How often a registration is tried whose answer got lost."""


class CallbackManager:
    """Registers callbacks for the businesses of a connection, and looks after them.

    Callbacks of others are never touched: ours are those that the inbox knows, and those whose
    address is below the base URL and looks like one that we make.

    Args:
        connection: The FreshBooks user.
        book: What the inbox knows of callbacks.
        scopes: Which scope each noun needs, for messages.
    """

    def __init__(
        self, connection: Connection, book: CallbackStore, scopes: dict[str, str] | None = None
    ) -> None:
        self.connection = connection
        self.book = book
        self.scopes = scopes or {}

    @cached_property
    def accounts(self) -> dict[str, Business]:
        """The businesses that can have callbacks, by `account_id`."""
        return {
            business.account_id: business
            for business in self.connection.businesses
            if business.account_id
        }

    def at(self, account_id: str) -> CallbackApi:
        """The callbacks of an account at FreshBooks."""
        return CallbackApi(self.connection.client, self.accounts[account_id])

    @property
    def callbacks(self) -> list[Callback]:
        """What the inbox knows of callbacks of these businesses."""
        known = self.book.all()
        return [each for each in known if each.account_id in self.accounts]

    # Registering

    def register(self, base_url: str, nouns: Sequence[str]) -> list[str]:
        """Register what is missing, and remove callbacks of ours that are not wanted any more.

        Run again, it changes nothing.

        Args:
            base_url: Where the receiver is, as FreshBooks reaches it; without a slash at its end.
            nouns: The bare nouns whose events are wanted.

        Returns:
            A sentence for each callback that could not be registered, and why.

        Raises:
            FreshBooksError: If FreshBooks does not answer.
        """
        problems: list[str] = []
        for account_id in self.accounts:
            try:
                problems += self._register(account_id, base_url, nouns)
            except FreshBooksError as error:
                problems.append(str(error))
        return problems

    def _register(self, account_id: str, base_url: str, nouns: Sequence[str]) -> Iterator[str]:
        before = [each for each in self.book.all() if each.account_id == account_id]
        listed = self.at(account_id).list()
        kept, failed = [], set()
        for noun in nouns:
            try:
                kept.append(self._ensure(account_id, noun, base_url, listed))
            except PermissionDeniedError:
                failed.add(noun)
                scope = self.scopes.get(noun, "the read scope of its object")
                yield (
                    f"{noun} of {self.accounts[account_id]}: the token may not register it; it "
                    f"needs {scope}. Enable that for your app, and log in again"
                )
            except (BadRequestError, TransientError, NotFoundError) as error:
                failed.add(noun)
                yield str(error)
        # Where there is no new one yet the old one goes on, at another address perhaps.
        old = [each for each in before if each.noun in failed]
        self._remove_stale(account_id, base_url, [*kept, *old], before, listed)
        there = {each.noun for each in self.book.all() if each.account_id == account_id}
        for callback in kept:
            if callback.noun not in there:
                yield (
                    f"{callback.noun} of {self.accounts[account_id]}: another process removed it "
                    "meanwhile; register once more"
                )

    def _ensure(
        self, account_id: str, noun: str, base_url: str, listed: Sequence[RemoteCallback]
    ) -> Callback:
        callback = self.book.add(account_id, noun, base_url)
        known = _at(callback, listed)
        try:
            known = known or self._create(callback)
        except PermissionDeniedError:
            self.book.remove(callback.path)
            raise
        self._note(callback, known)
        return callback

    def _note(self, callback: Callback, known: RemoteCallback) -> None:
        """Note what FreshBooks says of a callback."""
        if callback.callbackid != known.callbackid:
            self.book.update(callback.path, callbackid=known.callbackid)
        # Verified, but with a secret that we do not have, no event could be told from a forgery.
        verified = known.verified and self._has_secret(callback)
        self.book.checked(callback.path, verified=verified, as_of=known.as_of)

    def _has_secret(self, callback: Callback) -> bool:
        return any(each.accepted for each in self.book.verifiers(callback.path))

    def _create(self, callback: Callback, attempts: int = ATTEMPTS) -> RemoteCallback:
        """Register a callback; where the answer is lost, it is looked for before the next try."""
        endpoint = self.at(callback.account_id)
        # Before the request: the verification may come sooner than the answer.
        self.book.update(callback.path, asked_at=time.time())
        try:
            return endpoint.create(callback.noun, callback.uri)
        except TransientError:
            if known := _at(callback, endpoint.list()):
                return known
            if attempts == 1:
                raise
            return self._create(callback, attempts - 1)

    def _remove_stale(
        self,
        account_id: str,
        base_url: str,
        kept: Sequence[Callback],
        before: Sequence[Callback],
        listed: Sequence[RemoteCallback],
    ) -> None:
        """Remove callbacks of ours that are not wanted, moved, doubled, or known to no inbox.

        Only those that were there before: another process may be registering others.
        """
        wanted = {each.uri for each in kept}
        book = self.book.all()
        current = {each.callbackid for each in book if each.uri in wanted}
        ours = {each.uri for each in (*before, *book)}
        for each in listed:
            if each.callbackid not in current and self._is_ours(each, base_url, ours):
                self.at(account_id).delete(each.callbackid)
        for callback in before:
            if callback.uri not in wanted:
                self.book.remove(callback.path)

    @staticmethod
    def _is_ours(listed: RemoteCallback, base_url: str | None, known: Container[str]) -> bool:
        base, _, path = listed.uri.rpartition("/")
        return listed.uri in known or (base == base_url and bool(OURS.fullmatch(path)))

    def delete(self, base_url: str | None = None) -> int:
        """Delete our callbacks, and forget them.

        Args:
            base_url: Also those below this address of which the inbox does not know.

        Returns:
            How many FreshBooks had.

        Raises:
            FreshBooksError: If FreshBooks does not answer; the rest is still there.
        """
        number = 0
        for account_id in self.accounts:
            ours = {each.uri for each in self.callbacks if each.account_id == account_id}
            for each in self.at(account_id).list():
                if self._is_ours(each, base_url, ours):
                    self.at(account_id).delete(each.callbackid)
                    number += 1
        for callback in self.callbacks:
            self.book.remove(callback.path)
        return number

    # Verifying

    def confirm_pending(self) -> list[str]:
        """Give secrets back that FreshBooks waits for, those of these businesses.

        Returns:
            A sentence for each that FreshBooks did not take.
        """
        problems: list[str] = []
        for verifier in self.book.pending():
            callback = self.book.at(verifier.path)
            if callback and callback.account_id in self.accounts:
                try:
                    problems += self._confirm(callback, verifier)
                except FreshBooksError as error:
                    problems.append(f"{error} (the secret is kept, and given back later)")
        return problems

    def _confirm(self, callback: Callback, verifier: Verifier) -> Iterator[str]:
        account_id, name = callback.account_id, f"the callback for {callback.noun}"
        subject = f"{name} of {self.accounts[account_id]}"
        try:
            is_verified = self.at(account_id).verify(verifier.callbackid, verifier.verifier)
        except (BadRequestError, NotFoundError):
            # One that was replaced by a newer one, or a forgery. Even if FreshBooks shows the
            # callback as verified this secret must not count: anybody could have sent it.
            self.book.refuse(verifier)
            yield (
                f"{subject}: FreshBooks does not take the secret back (callback "
                f"{verifier.callbackid}); it is asked to send another"
            )
        else:
            if is_verified:
                self.book.accept(verifier)
            else:
                yield f"{subject}: FreshBooks does not say that it is verified; tried again later"

    def check(self, *, resend_every: float = RESEND_EVERY) -> list[str]:
        """Compare our callbacks with what FreshBooks says, and mend what is wrong.

        One that is not verified, perhaps because FreshBooks has switched it off, gets its
        verification sent again; one that is gone, or whose secret is lost, is registered anew.

        Args:
            resend_every: Seconds between two such requests for one callback.

        Returns:
            A sentence for each that was found wrong.

        Raises:
            FreshBooksError: If FreshBooks does not answer.
        """
        problems = self.confirm_pending()
        ours = self.callbacks  # before FreshBooks is asked: what is added meanwhile is not missing
        for account_id in dict.fromkeys(each.account_id for each in ours):
            self.book.looked_at(account_id)
            try:
                listed = self.at(account_id).list()
            except FreshBooksError as error:
                problems.append(str(error))
                continue
            for callback in ours:
                if callback.account_id == account_id:
                    try:
                        problems += self._mend(callback, listed, resend_every)
                    except FreshBooksError as error:
                        problems.append(str(error))
        return problems

    def _mend(
        self, callback: Callback, listed: Sequence[RemoteCallback], resend_every: float
    ) -> Iterator[str]:
        name = f"the callback for {callback.noun} of {self.accounts[callback.account_id]}"
        endpoint = self.at(callback.account_id)
        known = _at(callback, listed)
        if known is None and callback.callbackid is not None:
            known = endpoint.get(callback.callbackid)
        was_asked = bool(callback.asked_at and time.time() - callback.asked_at < resend_every)
        if known is None:
            self.book.checked(callback.path, verified=False, as_of=time.time())
            if was_asked and callback.callbackid is None:
                yield f"{name} is being registered"
            else:
                yield from self._renew(callback, f"{name} was gone")
            return
        self._note(callback, known)
        for each in listed:  # two that registered it at once
            if (each.uri, each.event) == (known.uri, known.event) and each != known:
                endpoint.delete(each.callbackid)
        if known.verified and self._has_secret(callback):
            return
        if was_asked:
            yield f"{name} is not verified; its verification has not come yet"
        elif known.verified and callback.asked_at:
            endpoint.delete(known.callbackid)
            yield from self._renew(callback, f"{name} was verified with a secret that is lost")
        else:
            self.book.update(callback.path, asked_at=time.time())
            endpoint.resend(known.callbackid)
            yield f"{name} is not verified; FreshBooks is asked to send the verification again"

    def _renew(self, callback: Callback, why: str) -> Iterator[str]:
        fresh = self.book.renew(callback)
        if fresh is not None:  # else another process does it
            self._note(fresh, self._create(fresh))
            yield f"{why}; it is registered anew"

    def wait(self, seconds: float, pause: Callable[[float], None] = time.sleep) -> list[Callback]:
        """Give secrets back as they come, until all callbacks are verified or time is over.

        Returns:
            Those that are not verified.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.confirm_pending()
            open_ones = [each for each in self.callbacks if not each.verified]
            if not open_ones or time.monotonic() >= deadline:
                return open_ones
            pause(0.5)


def _at(callback: Callback, listed: Sequence[RemoteCallback]) -> RemoteCallback | None:
    """The one at FreshBooks that sends to the address of ours; a verified one if there are more."""
    same = [each for each in listed if (each.uri, each.event) == (callback.uri, callback.noun)]
    return max(
        same,
        key=lambda each: (each.verified, each.callbackid == callback.callbackid, -each.callbackid),
        default=None,
    )
