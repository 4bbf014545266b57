"""The endpoint of callbacks: what FreshBooks can be asked, and its answers.

See `docs/freshbooks-api/webhooks.md §2`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError, NotFoundError

if TYPE_CHECKING:
    from tap_freshbooks.businesses import Business
    from tap_freshbooks.transport.client import FreshBooksClient

PATH = "/events/account/{account_id}/events/callbacks"

PAGE_SIZE = 100

MOST_PAGES = 100
"""Of the list of callbacks; more of them would be a list that does not end."""


@dataclass(frozen=True, slots=True)
class RemoteCallback:
    """A callback as FreshBooks shows it, ours or not; `as_of` is when it was asked."""

    callbackid: int
    event: str
    uri: str
    verified: bool
    as_of: float


class CallbackApi:
    """The callbacks of one business.

    Args:
        client: Sends the requests.
        business: One that has an `account_id`.

    Raises:
        FreshBooksError: From every method, if FreshBooks refuses or does not answer.
    """

    def __init__(self, client: FreshBooksClient, business: Business) -> None:
        self._client = client
        self._business = business
        self._path = PATH.format(account_id=business.account_id)

    def list(self) -> list[RemoteCallback]:
        """All callbacks that FreshBooks shows us, ours or not, each once."""
        found: dict[int, RemoteCallback] = {}
        subject = f"the callbacks of {self._business}"
        for page in range(1, MOST_PAGES + 1):
            now, query = time.time(), {"page": page, "per_page": PAGE_SIZE}
            result = _result(self._client.get(self._path, query, subject=subject).body)
            if not isinstance(result.get("callbacks"), list):
                # Not an empty list: then all of ours would seem to be gone.
                raise FreshBooksError(f"{subject}: the answer has no list; please report this")
            rows = [_read(row, now, subject) for row in result["callbacks"]]
            news = [each for each in rows if each.callbackid not in found]
            found.update((each.callbackid, each) for each in rows)
            total = result.get("total")
            if not news or (isinstance(total, int) and len(found) >= total):
                break
        return list(found.values())

    def get(self, callbackid: int) -> RemoteCallback | None:
        """A callback by its id; None if FreshBooks does not know it."""
        subject, now = self._subject(callbackid), time.time()
        try:
            answer = self._client.get(self._single(callbackid), subject=subject)
        except NotFoundError:
            return None
        return _read(_result(answer.body).get("callback"), now, subject)

    def create(self, event: str, uri: str) -> RemoteCallback:
        """Register a callback, which FreshBooks then wants to verify.

        Raises:
            TransientError: If it is not known whether that was done.
        """
        subject, now = f"the callback for {event} of {self._business}", time.time()
        body = {"callback": {"event": event, "uri": uri}}
        answer = self._client.send("POST", self._path, body, subject=subject)
        return _read(_result(answer.body).get("callback"), now, subject)

    def verify(self, callbackid: int, secret: str) -> bool:
        """Give a secret back; whether FreshBooks says that the callback is verified now.

        Raises:
            BadRequestError: If it is not the secret that FreshBooks wants.
            NotFoundError: If there is no such callback.
        """
        said = _result(self._put(callbackid, {"verifier": secret})).get("callback")
        return isinstance(said, dict) and said.get("verified") is True

    def resend(self, callbackid: int) -> None:
        """Let FreshBooks send the verification again."""
        self._put(callbackid, {"resend": True})

    def delete(self, callbackid: int) -> None:
        """Delete a callback, if it is still there."""
        try:
            self._client.send("DELETE", self._single(callbackid), subject=self._subject(callbackid))
        except NotFoundError:
            return  # somebody else was quicker, or the answer to our first try got lost

    def _put(self, callbackid: int, change: dict[str, Any]) -> Any:
        subject = f"the verification of {self._subject(callbackid)}"
        body = {"callback": change}
        return self._client.send("PUT", self._single(callbackid), body, subject=subject).body

    def _single(self, callbackid: int) -> str:
        return f"{self._path}/{callbackid}"

    def _subject(self, callbackid: int) -> str:
        return f"callback {callbackid} of {self._business}"


def _result(body: Any) -> dict[str, Any]:
    response = body.get("response") if isinstance(body, dict) else None
    result = response.get("result") if isinstance(response, dict) else None
    return result if isinstance(result, dict) else {}


def _read(row: Any, as_of: float, subject: str) -> RemoteCallback:
    if not isinstance(row, dict) or not isinstance(row.get("callbackid"), int):
        raise FreshBooksError(f"{subject}: the answer shows none that has an id; please report it")
    event, uri, verified = str(row.get("event")), str(row.get("uri")), row.get("verified") is True
    return RemoteCallback(row["callbackid"], event, uri, verified, as_of)
