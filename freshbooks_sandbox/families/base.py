"""The endpoint families: identifiers, envelopes, paging and error bodies, where they differ.

The smaller ones are in small.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from freshbooks_sandbox.errors import ApiError, MissingScopeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.behaviours import Behaviours
    from freshbooks_sandbox.query import Query
    from freshbooks_sandbox.store import Business, Store

CAP = 100
"""Rows on a page, whatever per_page says (docs/freshbooks-api/errors-and-limits.md §2)."""

encode = msgspec.json.encode


def keyed_list(key: str, rows: bytes) -> bytes:
    """Encoded rows under a key alone; `list` stands for no key at all."""
    return b"[%b]" % rows if key == "list" else b'{"%b":[%b]}' % (key.encode(), rows)


@dataclass(frozen=True)
class Page:
    """One page of a list: which, of how many, how large."""

    page: int
    pages: int
    per_page: int
    total: int

    def fields(self) -> dict[str, int]:
        """The four numbers in the order of the captures."""
        return {
            "page": self.page,
            "pages": self.pages,
            "per_page": self.per_page,
            "total": self.total,
        }


@dataclass(frozen=True)
class Family:
    """The parent of all families: what most of them share."""

    name: str
    per_page: int | None = 30
    content_type: str = "application/json"
    api_version: str | None = "2023-02-20"
    search_brackets: bool = False
    is_paged: bool = True
    has_flat_bodies: bool = False
    has_identifier: bool = True
    created_status: int = 200
    page_names: tuple[str, str] = ("page", "per_page")

    def business(self, store: Store, identifier: str) -> Business | None:
        """The business that an identifier in the path names."""
        return store.by_id.get(int(identifier)) if identifier.isdecimal() else None

    def filters(self, query: Query) -> dict[str, list[str]]:
        """The parameters that may be filters here."""
        return query.search if self.search_brackets else query.bare

    def list_body(
        self, plural: str, page: Page | None, rows: bytes, extra: Mapping[str, Any]
    ) -> bytes:
        """The envelope of a list around encoded rows; no page, no word of it."""
        meta = encode({**extra, **(page.fields() if page else {})})
        return b'{"meta":%b,"%b":[%b]}' % (meta, plural.encode(), rows)

    def single_body(
        self, single: str, record: Mapping[str, Any], siblings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The envelope of a single record."""
        return {single: record, **siblings}

    def error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """The body of an error that may bring its own."""
        return error.body or self.own_error_body(error, behaviours)

    def own_error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """The body of an error in the form of the family."""
        if isinstance(error, MissingScopeError):
            return {"message": error.text(behaviours)}
        if error.errno == 2001:  # noqa: PLR2004
            named = {error.field: error.message} if error.field else error.message
            return {"errno": 2001, "error": named}
        if error.status == 404:  # noqa: PLR2004
            return {"error": error.message or "Requested resource could not be found."}
        return {"message": error.message}

    def bad_number(self, name: str, value: str, _single: str, status: int) -> ApiError:
        """A page or per_page that is no number."""
        message = "Input should be a valid integer, unable to parse string as an integer"
        return ApiError(status, message, 2001, name, value)


class Plain(Family):
    """A list without `meta`, all rows in one answer."""

    def list_body(
        self, plural: str, _page: Page | None, rows: bytes, _extra: Mapping[str, Any]
    ) -> bytes:
        """`{list}`."""
        return b'{"%b":[%b]}' % (plural.encode(), rows)


class Accounting(Family):
    """`/accounting/account/{account_id}/...`, the old service.

    See docs/freshbooks-api/accounting.md §2, §8.
    """

    def business(self, store: Store, identifier: str) -> Business | None:
        """By account id, which is case-sensitive."""
        return store.by_account.get(identifier)

    def list_body(
        self, plural: str, page: Page | None, rows: bytes, _extra: Mapping[str, Any]
    ) -> bytes:
        """`{"response": {"result": {list, page, pages, per_page, total}}}`."""
        key = plural.encode()
        if page is None:
            return b'{"response":{"result":{"%b":[%b]}}}' % (key, rows)
        numbers = encode(page.fields())
        return b'{"response":{"result":{"%b":[%b],%b}}' % (key, rows, numbers[1:])

    def single_body(
        self, single: str, record: Mapping[str, Any], _siblings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`{"response": {"result": {single: record}}}`."""
        return {"response": {"result": {single: record}}}

    def own_error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """Old shape, or google.rpc.ErrorInfo as newer API versions have it."""
        if isinstance(error, MissingScopeError) and (body := error.body_of_books(behaviours)):
            return body
        value = None if error.value is None else str(error.value)
        if behaviours.accounting_errors == "new":
            codes = {401: 16, 403: 7, 404: 5, 409: 6, 422: 3, 400: 3}
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": str(error.errno or error.status),
                "domain": "accounting.api.freshbooks.com",
                "metadata": {
                    "object": error.object or "",
                    "message": error.message,
                    "value": value or "",
                    "field": error.field or "",
                },
            }
            return {
                "code": codes.get(error.status, 2),
                "message": f"Request failed with status_code: {error.status}",
                "details": [info],
            }
        if error.errno in (404, 12001):
            found: dict[str, Any] = {"message": error.message, "errno": error.errno}
        else:
            found = {
                "errno": error.errno or error.status,
                "field": error.field,
                "message": error.message,
                "object": error.object,
                "value": value,
            }
        return {"response": {"errors": [found]}}

    def bad_number(self, name: str, value: str, single: str, status: int) -> ApiError:
        """Errno 1014 InvalidPage, 1013 InvalidPerPage; the body is a guess.

        See docs/freshbooks-api/accounting.md §3.
        """
        errno = 1014 if name == "page" else 1013
        return ApiError(status, f"{name} must be a number.", errno, name, value, single)


class Ledger(Family):
    """`/accounting/businesses/{business_uuid}/...`, the newer service: one answer, no paging."""

    def business(self, store: Store, identifier: str) -> Business | None:
        """By uuid; the two lists of types belong to no business, so any will do."""
        if not self.has_identifier:
            return store.businesses[0]
        return store.by_uuid.get(identifier)

    def list_body(
        self, _plural: str, _page: Page | None, rows: bytes, _extra: Mapping[str, Any]
    ) -> bytes:
        """`{"data": [...]}`."""
        return b'{"data":[%b]}' % rows

    def single_body(
        self, _single: str, record: Mapping[str, Any], _siblings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`{"data": {...}}`."""
        return {"data": record}

    def own_error_body(self, error: ApiError, behaviours: Behaviours) -> dict[str, Any]:
        """The ledger shape of docs/freshbooks-api/accounting.md §8."""
        if isinstance(error, MissingScopeError) and (body := error.body_of_books(behaviours)):
            return body
        reason = error.message or "Not found."
        return {
            "errors": {
                "message": f"Request failed with status code {error.status}",
                "status": error.status,
                "details": [
                    {"reason": reason, "metadata": {"message": reason, "field": error.field}}
                ],
            }
        }


JSON_API = "application/vnd.api+json"

ACCOUNTING = Accounting("accounting", per_page=15, search_brackets=True)
LEDGER = Ledger(
    "ledger", per_page=None, api_version="2019-07-10", is_paged=False, created_status=201
)
LEDGER_TYPES = Ledger(
    "ledger_types", per_page=None, api_version="2019-07-10", is_paged=False, has_identifier=False
)
JOURNAL = Ledger("ledger", page_names=("page_number", "page_size"))
"""Journal entries: another service behind the paths of the ledger.

See docs/freshbooks-api/resources/journal_entries.yaml.
"""
PROJECTS = Family("projects", content_type=JSON_API)
TIME_TRACKING = Family("timetracking", per_page=None, content_type=JSON_API)
COMMENTS = Family("comments", per_page=50, content_type=JSON_API)
# The lists that know neither paging nor `meta`.
PLAIN_PROJECTS = Plain("projects", content_type=JSON_API, is_paged=False)
PLAIN_TIME_TRACKING = Plain("timetracking", content_type=JSON_API, is_paged=False)
PLAIN_COMMENTS = Plain("comments", content_type=JSON_API, is_paged=False)
