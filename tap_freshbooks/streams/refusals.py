"""Explains a refusal by what users/me says of the account: its plan, its subscription.

What the flags gate is not proven (`docs/freshbooks-api/auth.md §9`): so one is named where
FreshBooks has refused a stream that may belong to it, and never leaves a stream out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_freshbooks.connection import Connection

ENDED = {
    "trial_expired": "the trial of this business has ended",
    "cancelled": "the subscription of this business is cancelled",
}
"""What `subscription_statuses` can say of an account that may refuse everything."""


def explain(connection: Connection, account_id: str | None, flags: Iterable[str]) -> str:
    """Clauses about an account, each after a semicolon; empty if users/me explains nothing.

    Args:
        connection: Knows the answer of users/me, or not: it is worth no request.
        account_id: Of the business that refused.
        flags: Those of `permissions` that may belong to what it refused.
    """
    me = connection.me if connection.has_asked else {}
    features = _of_account(me.get("permissions"), account_id)
    missing = [flag for flag in flags if isinstance(features, dict) and features.get(flag) is False]
    clauses = [f"the plan has no {_in_words(flag)} (users/me: {flag} is false)" for flag in missing]
    status = _of_account(me.get("subscription_statuses"), account_id)
    if isinstance(status, str) and status in ENDED:
        clauses.append(f"{ENDED[status]} (users/me: {status})")
    return "".join(f"; {clause}" for clause in clauses)


def _of_account(by_account: Any, account_id: str | None) -> Any:
    return by_account.get(account_id) if isinstance(by_account, dict) else None


def _in_words(flag: str) -> str:
    return flag.removesuffix(".access").removesuffix("_feature").replace("_", " ")
