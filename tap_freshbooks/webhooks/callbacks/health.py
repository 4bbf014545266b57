"""Whether events flow, for people: what FreshBooks, the inbox and the receivers say of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_freshbooks.timestamps import utc_text_at
from tap_freshbooks.webhooks.callbacks.store import PATIENCE

if TYPE_CHECKING:
    from tap_freshbooks.webhooks.callbacks.manager import CallbackManager
    from tap_freshbooks.webhooks.callbacks.store import Callback


@dataclass(frozen=True, slots=True)
class Watch:
    """What was found.

    Attributes:
        lines: All of it, for people.
        problems: A sentence for each reason why events cannot flow; none if they can.
    """

    lines: list[str]
    problems: list[str]


def watch(registrar: CallbackManager) -> Watch:
    """Look at the callbacks of a connection, as the inbox knows them now.

    Raises:
        InboxError: If the inbox cannot be read.
    """
    callbacks = registrar.callbacks
    misses = registrar.book.misses()
    lines, problems = [], []
    for account_id, business in registrar.accounts.items():
        ours = [each for each in callbacks if each.account_id == account_id]
        lines.append(f"{business}: {len(ours)} callbacks")
        width = max((len(each.noun) for each in ours), default=0)
        for each in ours:
            rows, _ = misses.get((account_id, each.noun), (0, 0.0))
            missed = f"; {rows} rows were missed" if rows else ""
            lines.append(f"  {each.noun:{width}}  {_describe(each)}{missed}")
        closed = ", ".join(each.noun for each in ours if not each.verified)
        if not ours:
            problems.append(
                f"no callback of {business} is registered: run `tap-freshbooks webhooks register`"
            )
        elif closed:
            problems.append(
                f"callbacks of {business} are not verified ({closed}): run `tap-freshbooks "
                "webhooks serve` where their address leads, and `tap-freshbooks webhooks verify`"
            )
    if not registrar.accounts:
        problems.append("no business of the connection has an account_id to register for")
    last = registrar.book.last_presence()
    if last is None:
        lines.append("Receivers: none has ever run")
    else:
        lines.append(f"Receivers: the last sign of life was at {utc_text_at(last)}")
    if last is None or time.time() - last > PATIENCE:
        problems.append("no receiver runs: start `tap-freshbooks webhooks serve`")
    return Watch(lines, problems)


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
