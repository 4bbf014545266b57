"""Webhook callbacks: registered, verified, sent again and removed; webhooks/ sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freshbooks_sandbox import filters
from freshbooks_sandbox.clock import eastern_text, utc_z
from freshbooks_sandbox.errors import ApiError
from freshbooks_sandbox.families.small import EVENTS, invalid_event
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.webhooks.events import KNOWN, NOUNS, read_scope
from freshbooks_sandbox.webhooks.verifiers import verifier_of
from freshbooks_sandbox.write_rules import WriteRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_sandbox.filters import FilterContext, Predicate
    from freshbooks_sandbox.store import Business, Row


def _scope_of(body: Mapping[str, Any]) -> str | None:
    event = str(body.get("event", ""))
    return read_scope(event) if event in KNOWN else None


def _refuse(*details: str) -> ApiError:
    return ApiError(400, body=invalid_event(*details))


def _problems(body: Mapping[str, Any], *, is_new: bool) -> list[str]:
    problems = []
    if is_new or "event" in body:
        event = body.get("event")
        if event is None:
            problems.append("event: Field required")
        elif event not in KNOWN:
            problems.append("event: Value error, Unrecognized event.")
    if is_new or "uri" in body:
        uri = body.get("uri")
        parts = urlsplit(str(uri))
        if uri is None:
            problems.append("uri: Field required")
        elif not parts.scheme or not parts.netloc:
            problems.append("uri: Input should be a valid URL, relative URL without a base")
        elif parts.scheme not in ("http", "https"):
            problems.append("uri: URL scheme should be 'http' or 'https'")
    return problems


def _to_columns(body: Mapping[str, Any], row: Row | None, business: Business) -> dict[str, Any]:
    problems = _problems(body, is_new=row is None)
    if problems:
        raise _refuse(*problems)
    columns: dict[str, Any] = {name: body[name] for name in ("event", "uri") if name in body}
    if row is None:
        return {**columns, "verified": False}
    if "verifier" in body:
        if body["verifier"] != row["_verifier"]:
            raise _refuse("verifier: Value error, Verifier does not match.")
        columns["verified"] = True
    if body.get("resend"):
        business.notify("callbacks", "resend", row)
    return columns


def _on_write(row: Row, before: Row | None, business: Business, _now: int) -> None:
    if before is None:
        row["_verifier"] = verifier_of(row["callbackid"], business)
        business.notify("callbacks", "register", row)
    elif row["uri"] != before["uri"]:
        business.notify("callbacks", "move", row)


def _event(_name: str, values: list[str], _context: FilterContext) -> Predicate:
    """The event itself, or the noun that stands for all of its events.

    See docs/freshbooks-api/webhooks.md §2.
    """
    wanted = {values[-1], values[-1].partition(".")[0]}
    return lambda row: row["event"] in wanted


def _reshape(record: dict[str, Any], row: Row, context: FilterContext) -> None:
    """Older versions of the API write timestamps in SQL form, and so does `Api-Version: alpha`.

    See docs/freshbooks-api/projects-and-time.md §4 and docs/freshbooks-api/webhooks.md §2.
    """
    if context.is_alpha or context.behaviours.callback_timestamps == "sql":
        record["updated_at"] = eastern_text(row["updated_at"])


CALLBACKS = Resource(
    name="callbacks",
    family=EVENTS,
    path="events/callbacks",
    plural="callbacks",
    single="callback",
    scope="invoices",
    any_scope=tuple(sorted({noun.read_scope for noun in NOUNS.values()})),
    key="callbackid",
    blank={"event": "", "uri": "", "verified": False},
    timestamps={"updated_at": ("updated_at", utc_z)},
    reshape=_reshape,
    hidden=("_verifier", "_serial", "_client_id"),
    application_key="_client_id",
    order=lambda rows: sorted(rows, key=lambda row: row["callbackid"], reverse=True),
    visibility=everything,
    filters={"event": filters.Filter(_event)},
    write_rules=WriteRules(
        to_columns=_to_columns,
        on_write=_on_write,
        example=lambda _business: {
            "event": "invoice.create",
            "uri": "https://hooks.example.test/freshbooks",
        },
        scope_of=_scope_of,
        updated="updated_at",
        deleted=None,
        delete_by_put=False,
        http_delete="hard",
    ),
)
