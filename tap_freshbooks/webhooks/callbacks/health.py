"""The health of webhooks: whether callbacks are verified, and a receiver runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.webhooks.callbacks.presence import HEARTBEAT_TIMEOUT, ReceiverPresence

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
    from tap_freshbooks.webhooks.callbacks.store import Callback, CallbackStore


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """The health of the webhooks of a connection.

    Attributes:
        lines: All of it, for people.
        problems: A sentence for each reason why no events can come; none if they can.
    """

    lines: list[str]
    problems: list[str]


def check_health(manager: CallbackManager) -> WebhookHealth:
    """Describe the callbacks of a connection, as the inbox knows them now.

    Raises:
        InboxError: If the inbox cannot be read.
    """
    callbacks = manager.callbacks
    missed_rows = manager.store.missed_rows()
    lines, problems = [], []
    for account_id, business in manager.accounts.items():
        ours = [each for each in callbacks if each.account_id == account_id]
        lines.append(f"{business}: {len(ours)} callbacks")
        width = max((len(each.noun) for each in ours), default=0)
        for each in ours:
            rows, _ = missed_rows.get((account_id, each.noun), (0, 0.0))
            missed = f"; {rows} rows were missed" if rows else ""
            lines.append(f"  {each.noun:{width}}  {_describe(each)}{missed}")
        unverified = ", ".join(each.noun for each in ours if not each.verified)
        if not ours:
            problems.append(
                f"no callback of {business} is registered: run `tap-freshbooks webhooks register`"
            )
        elif unverified:
            problems.append(
                f"callbacks of {business} are not verified ({unverified}): run `tap-freshbooks "
                "webhooks serve` where their address leads, and `tap-freshbooks webhooks verify`"
            )
    if not manager.accounts:
        problems.append("no business of the connection has an account_id to register for")
    last = ReceiverPresence(manager.store.inbox).last_heartbeat()
    if last is None:
        lines.append("Receivers: none has ever run")
    else:
        lines.append(f"Receivers: the last heartbeat was at {utc_text_at(last)}")
    if last is None or time.time() - last > HEARTBEAT_TIMEOUT:
        problems.append("no receiver runs: start `tap-freshbooks webhooks serve`")
    return WebhookHealth(lines, problems)


def delivery_problems(store: CallbackStore, account_id: str, noun: str) -> list[str]:
    """Why no events of a noun can come at the moment; none if they can, as far as we know.

    Raises:
        InboxError: If the inbox cannot be read.
    """
    ours = [each for each in store.all() if (each.account_id, each.noun) == (account_id, noun)]
    problems = []
    if not ours:
        problems.append("no callback is registered")
    elif not any(each.verified for each in ours):
        problems.append("its callback is not verified")
    last = ReceiverPresence(store.inbox).last_heartbeat()
    if last is None:
        problems.append("no receiver has ever run")
    elif time.time() - last > HEARTBEAT_TIMEOUT:
        problems.append(f"no receiver runs since {utc_text_at(last)}")
    return problems


def _describe(callback: Callback) -> str:
    if callback.verified and callback.verified_at:
        state = f"verified since {utc_text_at(callback.verified_at)}"
    else:
        state = "verified" if callback.verified else "NOT verified"
    last = callback.last_event_at
    events = (
        f"{callback.events} events, the last at {utc_text_at(last)}" if last else "no event yet"
    )
    number = "not registered" if callback.callbackid is None else callback.callbackid
    return f"callback {number}, {state}; {events}"
