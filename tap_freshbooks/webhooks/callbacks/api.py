"""The endpoint of callbacks at FreshBooks: list, get, create, verify, resend, delete.

See `docs/freshbooks-api/webhooks.md §2`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_freshbooks.errors import FreshBooksError, NotFoundError
from tap_freshbooks.extraction.envelope import read_page, read_rows
from tap_freshbooks.extraction.pagination import PAGE_SIZE, Page, read_pages
from tap_freshbooks.extraction.prefetch import InlineFuture
from tap_freshbooks.numerals import whole_number

if TYPE_CHECKING:
    from tap_freshbooks.businesses import Business
    from tap_freshbooks.records import Row
    from tap_freshbooks.transport.client import FreshBooksClient

PATH = "/events/account/{account_id}/events/callbacks"

RESULT = ("response", "result")
"""Keys to what an answer holds."""


@dataclass(frozen=True, slots=True)
class RemoteCallback:
    """A callback as FreshBooks shows it, ours or not; `as_of` (epoch seconds) is when."""

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
        subject, now = f"the callbacks of {self._business}", time.time()

        def fetch_page(number: int) -> Page:
            query = {"page": number, "per_page": PAGE_SIZE}
            response = self._client.get(self._path, query, subject=subject)
            return read_page(response, number, (*RESULT, "callbacks"), subject)

        def ask(number: int) -> InlineFuture[Page]:
            return InlineFuture(lambda: fetch_page(number))

        pages = read_pages(ask, pages_numbered=False)
        found = [_remote_callback(row, now, subject) for page in pages for row in page.rows]
        return list({each.callbackid: each for each in found}.values())

    def get(self, callbackid: int) -> RemoteCallback | None:
        """A callback by its id; None if FreshBooks does not know it."""
        subject, now = self._subject(callbackid), time.time()
        try:
            response = self._client.get(self._single(callbackid), subject=subject)
        except NotFoundError:
            return None
        return _remote_callback(_callback_row(response.body, subject), now, subject)

    def create(self, event: str, uri: str) -> RemoteCallback:
        """Register a callback, which FreshBooks then wants to verify.

        Raises:
            BadRequestError, NotFoundError, PermissionDeniedError: If FreshBooks refuses it.
            FreshBooksError: If it is not known whether that was done.
        """
        subject, now = f"the callback for {event} of {self._business}", time.time()
        body = {"callback": {"event": event, "uri": uri}}
        response = self._client.send("POST", self._path, body, subject=subject)
        return _remote_callback(_callback_row(response.body, subject), now, subject)

    def verify(self, callbackid: int, verifier: str) -> bool:
        """Give a verifier back; True if FreshBooks says that the callback is verified now.

        Raises:
            BadRequestError: If it is not the verifier that FreshBooks wants.
            NotFoundError: If there is no such callback.
        """
        body = self._put(callbackid, {"verifier": verifier})
        try:
            return _callback_row(body, self._subject(callbackid)).get("verified") is True
        except FreshBooksError:  # it does not say so
            return False

    def resend(self, callbackid: int) -> None:
        """Let FreshBooks send the verification again."""
        self._put(callbackid, {"resend": True})

    def delete(self, callbackid: int) -> None:
        """Delete a callback, if it is still there."""
        try:
            self._client.send("DELETE", self._single(callbackid), subject=self._subject(callbackid))
        except NotFoundError:
            return  # another process was quicker, or the answer to our first try got lost

    def _put(self, callbackid: int, change: dict[str, Any]) -> Any:
        subject = f"the verification of {self._subject(callbackid)}"
        body = {"callback": change}
        return self._client.send("PUT", self._single(callbackid), body, subject=subject).body

    def _single(self, callbackid: int) -> str:
        return f"{self._path}/{callbackid}"

    def _subject(self, callbackid: int) -> str:
        return f"callback {callbackid} of {self._business}"


def _callback_row(body: Any, subject: str) -> Row:
    rows, _ = read_rows(body, (*RESULT, "callback"), subject)
    return rows[0] if rows else {}


def _remote_callback(row: Row, as_of: float, subject: str) -> RemoteCallback:
    callbackid = whole_number(row.get("callbackid"))
    if callbackid is None:
        raise FreshBooksError(f"{subject}: the answer shows none that has an id; please report it")
    event, uri = (each if isinstance(each, str) else "" for each in map(row.get, ("event", "uri")))
    return RemoteCallback(callbackid, event, uri, row.get("verified") is True, as_of)
