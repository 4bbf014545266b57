"""A manifest for Airbyte's CDK with the ten streams that Airbyte's FreshBooks connector has.

Written anew from the documentation, in two ways. *As published* has the habits of the connector's
manifest: it asks for no page size, takes a page of fewer than 100 rows for the last one, and knows
no cursor. *At best* asks for pages of 100, goes on for as long as the answer says, and has a cursor
where FreshBooks filters by a moment of change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.lists import List

STREAMS = (
    *("clients", "invoices", "expenses", "expense_summaries", "expense_categories"),
    *("ledger_accounts", "taxes"),
)
"""Those that are lists."""

USER = ("user", "/auth/api/v1/users/me", ("response",))
REPORTS = (
    (
        "invoice_details",
        "/accounting/account/{account_id}/reports/accounting/invoice_details",
        ("response", "result", "invoice_details", "clients", "*", "invoices", "*"),
    ),
    (
        "expense_details",
        "/accounting/account/{account_id}/reports/accounting/expense_details",
        ("response", "result", "expense_details", "data", "*", "expenses", "*"),
    ),
)
NAMES = (USER[0], *STREAMS, *(name for name, _, _ in REPORTS))
PAGE = "response['response']['result']['page']"
PAGES = "response['response']['result']['pages']"


def manifest(lists: Iterable[List], *, published: bool) -> dict[str, Any]:
    """The manifest, as JSON has it."""
    streams = [_stream(*USER, identifier=None)]
    streams += [_stream(*report, identifier="account_id") for report in REPORTS]
    streams += [_list(each, published=published) for each in lists]
    return {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [USER[0]]},
        "streams": streams,
        "spec": {"type": "Spec", "connection_specification": {"type": "object"}},
    }


def incremental(lists: Iterable[List], *, published: bool) -> frozenset[str]:
    """The streams that have a cursor."""
    return frozenset(each.name for each in lists if each.changed and not published)


def _stream(name: str, path: str, rows: tuple[str, ...], identifier: str | None) -> dict[str, Any]:
    """A stream whose answer is one page."""
    retriever: dict[str, Any] = {
        "type": "SimpleRetriever",
        "requester": {
            "type": "HttpRequester",
            "url_base": "{{ config['api_url'] }}",
            "path": path.replace(
                f"{{{identifier}}}", f"{{{{ stream_partition['{identifier}'] }}}}"
            ),
            "http_method": "GET",
            "authenticator": {
                "type": "BearerAuthenticator",
                "api_token": "{{ config['access_token'] }}",
            },
        },
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": list(rows)},
        },
    }
    stream: dict[str, Any] = {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": retriever,
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "additionalProperties": True, "properties": {}},
        },
    }
    if identifier:
        retriever["partition_router"] = {
            "type": "ListPartitionRouter",
            "values": f"{{{{ config['{identifier}s'] }}}}",
            "cursor_field": identifier,
        }
        added = {"path": [identifier], "value": f"{{{{ stream_partition['{identifier}'] }}}}"}
        stream["transformations"] = [
            {"type": "AddFields", "fields": [{"type": "AddedFieldDefinition", **added}]}
        ]
    return stream


def _list(each: List, *, published: bool) -> dict[str, Any]:
    """A stream of pages, and with a cursor where there can be one."""
    stream = _stream(each.name, each.path, each.rows, each.identifier)
    stream["primary_key"] = [each.identifier, each.key]
    if published or each.style == "accounting":
        stream["retriever"]["paginator"] = _paginator(published=published)
    if each.changed and not published:
        stream["incremental_sync"] = {
            "type": "DatetimeBasedCursor",
            "cursor_field": each.changed,
            "cursor_datetime_formats": ["%Y-%m-%d %H:%M:%S"],
            "datetime_format": "%Y-%m-%d",
            "start_datetime": {
                "type": "MinMaxDatetime",
                "datetime": "2000-01-01",
                "datetime_format": "%Y-%m-%d",
            },
            "start_time_option": _option(str(each.since)),
        }
    return stream


def _paginator(*, published: bool) -> dict[str, Any]:
    paginator = {"type": "DefaultPaginator", "page_token_option": _option("page")}
    if published:
        strategy = {
            "type": "PageIncrement",
            "page_size": 100,
            "start_from_page": 1,
            "inject_on_first_request": True,
        }
        return paginator | {"pagination_strategy": strategy}
    strategy = {
        "type": "CursorPagination",
        "page_size": 100,
        "cursor_value": f"{{{{ {PAGE} + 1 }}}}",
        "stop_condition": f"{{{{ {PAGE} >= {PAGES} }}}}",
    }
    return paginator | {
        "page_size_option": _option("per_page"),
        "pagination_strategy": strategy,
    }


def _option(name: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}
