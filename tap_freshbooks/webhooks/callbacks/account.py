"""The callbacks of one account: ours in the inbox, compared with those that FreshBooks has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.errors import (
    BadRequestError,
    FreshBooksError,
    NotFoundError,
    PermissionDeniedError,
)
from tap_freshbooks.webhooks.callbacks.store import CALLBACK_PATH

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.webhooks.callbacks.api import CallbackApi, RemoteCallback
    from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore, Verifier

MAX_REGISTRATIONS = 3
"""How often a registration is tried whose answer got lost."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What is to be registered for an account. It is stored, so receivers know its paths.

    Attributes:
        base_url: Where the receiver is, as FreshBooks reaches it.
        wanted: Our callbacks, new ones and those that were there.
        before: All of ours that were there.
        remote: What FreshBooks had.
    """

    base_url: str
    wanted: Sequence[Callback]
    before: Sequence[Callback]
    remote: Sequence[RemoteCallback]


@dataclass(frozen=True, slots=True)
class AccountCallbacks:
    """Registers, verifies, repairs and deletes the callbacks of one account.

    Attributes:
        account_id: The accounting system.
        business: Whose it is, for messages.
        api: The callbacks at FreshBooks.
        store: Our callbacks, as the inbox keeps them.
        scopes: Which scope each noun needs, for messages.
    """

    account_id: str
    business: Business
    api: CallbackApi
    store: CallbackStore
    scopes: Mapping[str, str]

    @property
    def _ours(self) -> list[Callback]:
        return [each for each in self.store.all() if each.account_id == self.account_id]

    # Registration

    def prepare(self, base_url: str, nouns: Sequence[str]) -> Registration:
        """Store what is to be registered, and look at what is there.

        Raises:
            FreshBooksError: If FreshBooks does not answer; nothing is stored.
        """
        before, remote = self._ours, self.api.list()
        wanted = [self.store.add(self.account_id, noun, base_url) for noun in nouns]
        return Registration(base_url, wanted, before, remote)

    def register(self, registration: Registration) -> Iterator[str]:
        """Register what is missing and remove what is stale; yields a sentence for each problem.

        Raises:
            FreshBooksError: If FreshBooks does not answer.
        """
        kept, failed = [], set()
        for callback in registration.wanted:
            noun = callback.noun
            try:
                self._ensure(callback, registration.remote)
                kept.append(callback)
            except PermissionDeniedError:
                self.store.remove(callback.path)
                failed.add(noun)
                scope = self.scopes.get(noun, "the read scope of its object")
                yield (
                    f"{noun} of {self.business}: the token may not register it; it "
                    f"needs {scope}. Enable that for your app, and log in again"
                )
            except FreshBooksError as error:
                failed.add(noun)
                yield str(error)
        # Where there is no new one yet the old one goes on, at another address perhaps.
        old = [each for each in registration.before if each.noun in failed]
        self._remove_stale(registration, [*kept, *old])
        there = {each.noun for each in self._ours}
        for callback in kept:
            if callback.noun not in there:
                yield (
                    f"{callback.noun} of {self.business}: another process removed it "
                    "meanwhile; register once more"
                )

    def _ensure(self, callback: Callback, remote: Sequence[RemoteCallback]) -> None:
        self._record(callback, _find_remote(callback, remote) or self._create(callback))

    def _record(self, callback: Callback, known: RemoteCallback) -> None:
        """Note what FreshBooks says of a callback."""
        if callback.callbackid != known.callbackid:
            self.store.update(callback.path, callbackid=known.callbackid)
        # Without its verifier no event can be distinguished from a forgery.
        verified = known.verified and self._has_verifier(callback)
        self.store.record_status(callback.path, verified=verified, as_of=known.as_of)

    def _has_verifier(self, callback: Callback) -> bool:
        return any(each.accepted for each in self.store.verifiers(callback.path))

    def _create(self, callback: Callback, attempts: int = MAX_REGISTRATIONS) -> RemoteCallback:
        """Register a callback; where the answer is lost, it is looked for before the next try."""
        # Before the request: the verification may come sooner than the answer.
        self.store.update(callback.path, asked_at=time.time())
        try:
            return self.api.create(callback.noun, callback.uri)
        except (BadRequestError, NotFoundError, PermissionDeniedError):
            raise
        except FreshBooksError:
            if known := _find_remote(callback, self.api.list()):
                return known
            if attempts == 1:
                raise
            return self._create(callback, attempts - 1)

    # Deletion

    def _remove_stale(self, registration: Registration, kept: Sequence[Callback]) -> None:
        """Remove callbacks of ours that are not wanted, moved, doubled, or known to no inbox.

        Only those that were there before: another process may be registering others.
        """
        wanted = {each.uri for each in kept}
        stored = self.store.all()
        current = {each.callbackid for each in stored if each.uri in wanted}
        uris = {each.uri for each in (*registration.before, *stored)}
        for each in registration.remote:
            if each.callbackid not in current and _is_ours(each, registration.base_url, uris):
                self.api.delete(each.callbackid)
        for callback in registration.before:
            if callback.uri not in wanted:
                self.store.remove(callback.path)

    def delete(self, base_url: str | None) -> int:
        """Delete our callbacks at FreshBooks; returns how many there were.

        Args:
            base_url: Also those below this address that the inbox does not know.

        Raises:
            FreshBooksError: If FreshBooks does not answer; the rest is still there.
        """
        uris = {each.uri for each in self._ours}
        ours = [each for each in self.api.list() if _is_ours(each, base_url, uris)]
        for each in ours:
            self.api.delete(each.callbackid)
        return len(ours)

    # Verification

    def confirm(self, callback: Callback, verifier: Verifier) -> Iterator[str]:
        """Give a verifier back; yields a sentence if FreshBooks does not take it.

        Raises:
            FreshBooksError: If FreshBooks does not answer.
        """
        subject = self._name(callback)
        try:
            is_verified = self.api.verify(verifier.callbackid, verifier.verifier)
        except (BadRequestError, NotFoundError):
            # One that was replaced by a newer one, or a forgery. Even if FreshBooks shows the
            # callback as verified this one must not count: anybody could have sent it.
            self.store.reject_verifier(verifier)
            yield (
                f"{subject}: FreshBooks does not take its verifier back (callback "
                f"{verifier.callbackid}); it is asked to send another"
            )
        else:
            if is_verified:
                self.store.accept_verifier(verifier)
            else:
                yield f"{subject}: FreshBooks does not say that it is verified; tried again later"

    # Repair

    def check(self, ours: Sequence[Callback], resend_interval: float) -> Iterator[str]:
        """Compare callbacks with what FreshBooks says, and repair them.

        Args:
            ours: Our callbacks of this account, as they were before FreshBooks was asked.
            resend_interval: Seconds between two requests to send a verification again.

        Yields:
            A sentence for each that was found wrong.
        """
        self.store.mark_checked(self.account_id)
        try:
            remote = self.api.list()
        except FreshBooksError as error:
            yield str(error)
            return
        for callback in ours:
            try:
                yield from self._repair(callback, remote, resend_interval)
            except FreshBooksError as error:
                yield str(error)

    def _repair(
        self, callback: Callback, remote: Sequence[RemoteCallback], resend_interval: float
    ) -> Iterator[str]:
        name = self._name(callback)
        known = _find_remote(callback, remote)
        if known is None and callback.callbackid is not None:
            known = self.api.get(callback.callbackid)
        was_asked = bool(callback.asked_at and time.time() - callback.asked_at < resend_interval)
        if known is None:
            self.store.record_status(callback.path, verified=False, as_of=time.time())
            if was_asked and callback.callbackid is None:
                yield f"{name} is being registered"
            else:
                yield from self._renew(callback, f"{name} was gone")
            return
        self._record(callback, known)
        for each in remote:  # two processes that registered it at once
            if (each.uri, each.event) == (known.uri, known.event) and each != known:
                self.api.delete(each.callbackid)
        if known.verified and self._has_verifier(callback):
            return
        if was_asked:
            yield f"{name} is not verified; its verification has not come yet"
        elif known.verified and callback.asked_at:
            self.api.delete(known.callbackid)
            yield from self._renew(callback, f"{name} was verified with a verifier that is lost")
        else:
            self.store.update(callback.path, asked_at=time.time())
            self.api.resend(known.callbackid)
            yield f"{name} is not verified; FreshBooks is asked to send the verification again"

    def _renew(self, callback: Callback, reason: str) -> Iterator[str]:
        fresh = self.store.renew(callback)
        if fresh is not None:  # else another process does it
            self._record(fresh, self._create(fresh))
            yield f"{reason}; it is registered anew"

    def _name(self, callback: Callback) -> str:
        return f"the callback for {callback.noun} of {self.business}"


def _find_remote(callback: Callback, remote: Sequence[RemoteCallback]) -> RemoteCallback | None:
    """The one at FreshBooks that sends to the address of ours; a verified one if there are more."""
    same = [each for each in remote if (each.uri, each.event) == (callback.uri, callback.noun)]
    return max(
        same,
        key=lambda each: (each.verified, each.callbackid == callback.callbackid, -each.callbackid),
        default=None,
    )


def _is_ours(remote: RemoteCallback, base_url: str | None, uris: Container[str]) -> bool:
    base, _, path = remote.uri.rpartition("/")
    return remote.uri in uris or (base == base_url and bool(CALLBACK_PATH.fullmatch(path)))
