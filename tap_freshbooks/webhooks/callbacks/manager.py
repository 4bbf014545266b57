"""The callbacks of a connection: registered, verified, checked, deleted.

See `docs/freshbooks-api/webhooks.md §2`.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.webhooks.callbacks.account import AccountCallbacks
from tap_freshbooks.webhooks.callbacks.api import CallbackApi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.connection import Connection
    from tap_freshbooks.webhooks.callbacks.account import Registration
    from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore

RESEND_INTERVAL = 300.0
"""Seconds between two requests of ours to send the verification of a callback again."""


class CallbackManager:
    """Registers callbacks for the businesses of a connection, and keeps them verified.

    Callbacks of other programs are never touched: ours are those that the inbox knows, and those
    whose address is below the base URL and looks like one that we make.

    Args:
        connection: The FreshBooks user.
        store: Our callbacks, as the inbox keeps them.
        scopes: Which scope each noun needs, for messages.
    """

    def __init__(
        self, connection: Connection, store: CallbackStore, scopes: dict[str, str] | None = None
    ) -> None:
        self.connection = connection
        self.store = store
        self.scopes = scopes or {}

    @cached_property
    def accounts(self) -> dict[str, Business]:
        """The businesses that can have callbacks, by `account_id`."""
        return {
            business.account_id: business
            for business in self.connection.businesses
            if business.account_id
        }

    def api(self, account_id: str) -> CallbackApi:
        """The callbacks of an account at FreshBooks."""
        return CallbackApi(self.connection.client, self.accounts[account_id])

    @property
    def callbacks(self) -> list[Callback]:
        """Our callbacks of these businesses, as the inbox knows them."""
        return [each for each in self.store.all() if each.account_id in self.accounts]

    def _account(self, account_id: str) -> AccountCallbacks:
        business = self.accounts[account_id]
        return AccountCallbacks(account_id, business, self.api(account_id), self.store, self.scopes)

    def register(self, base_url: str, nouns: Sequence[str]) -> list[str]:
        """Register what is missing, and remove callbacks of ours that are not wanted any more.

        Run again, it changes nothing.

        Args:
            base_url: Where the receiver is, as FreshBooks reaches it; without a slash at its end.
            nouns: The bare nouns whose events are wanted.

        Returns:
            A sentence for each callback that could not be registered, and why.
        """
        problems: list[str] = []
        prepared: list[tuple[AccountCallbacks, Registration]] = []
        for account in map(self._account, self.accounts):
            try:
                prepared.append((account, account.prepare(base_url, nouns)))
            except FreshBooksError as error:
                problems.append(str(error))
        # All of them are stored by now: FreshBooks verifies each at once, and a receiver that has
        # to look for a new path each time would keep it waiting.
        for account, registration in prepared:
            try:
                problems += account.register(registration)
            except FreshBooksError as error:
                problems.append(str(error))
        return problems

    def delete(self, base_url: str | None = None) -> int:
        """Delete our callbacks, and forget them.

        Args:
            base_url: Also those below this address that the inbox does not know.

        Returns:
            How many FreshBooks had.

        Raises:
            FreshBooksError: If FreshBooks does not answer; the rest is still there.
        """
        number = sum(self._account(account_id).delete(base_url) for account_id in self.accounts)
        for callback in self.callbacks:
            self.store.remove(callback.path)
        return number

    def confirm_pending(self) -> list[str]:
        """Give back the verifiers that FreshBooks waits for, those of these businesses.

        Returns:
            A sentence for each that FreshBooks did not take.
        """
        problems: list[str] = []
        for verifier in self.store.pending_verifiers():
            callback = self.store.find(verifier.path)
            if callback and callback.account_id in self.accounts:
                try:
                    problems += self._account(callback.account_id).confirm(callback, verifier)
                except FreshBooksError as error:
                    problems.append(f"{error} (the verifier is stored, and given back later)")
        return problems

    def check(self, *, resend_interval: float = RESEND_INTERVAL) -> list[str]:
        """Compare our callbacks with what FreshBooks says, and repair them.

        One that is not verified, perhaps because FreshBooks has switched it off, gets its
        verification sent again; one that is gone, or whose verifier is lost, is registered anew.

        Args:
            resend_interval: Seconds between two such requests for one callback.

        Returns:
            A sentence for each that was found wrong.
        """
        problems = self.confirm_pending()
        ours = self.callbacks  # before FreshBooks is asked: what is added meanwhile is not missing
        for account_id in dict.fromkeys(each.account_id for each in ours):
            callbacks = [each for each in ours if each.account_id == account_id]
            problems += self._account(account_id).check(callbacks, resend_interval)
        return problems

    def wait(self, seconds: float, pause: Callable[[float], None] = time.sleep) -> list[Callback]:
        """Give verifiers back as they come, until all callbacks are verified or time is over.

        Returns:
            The callbacks that are not verified.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.confirm_pending()
            unverified = [each for each in self.callbacks if not each.verified]
            if not unverified or time.monotonic() >= deadline:
                return unverified
            pause(0.5)
