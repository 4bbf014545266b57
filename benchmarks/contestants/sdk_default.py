"""A tap as the SDK's template and documentation lead to it: REST stream, JSONPath, types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoices_schema import SCHEMA
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import PageNumberPaginator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from singer_sdk.helpers.types import Context

INCLUDES = [
    *("lines", "presentation", "allowed_gateways", "contacts", "owner"),
    *("late_fee", "late_reminders", "direct_links", "attachments"),
]


class Pages(PageNumberPaginator):
    """Goes on for as long as the answer says that there are more pages."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        result = response.json()["response"]["result"]
        return bool(result["page"] < result["pages"])


class FreshBooksStream(RESTStream[int]):
    """A list of one account."""

    primary_keys = ("id",)
    records_jsonpath = "$.response.result.invoices[*]"
    includes: Sequence[str] = ()

    @property
    @override
    def url_base(self) -> str:
        return f"{self.config['api_url']}/accounting/account/{self.config['account_id']}"

    @property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @override
    def get_new_paginator(self) -> Pages:
        return Pages(start_value=1)

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: int | None
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"page": next_page_token or 1, "per_page": 100}
        if self.includes:
            params["include[]"] = self.includes
        if self.replication_key and (since := self.get_starting_replication_key_value(context)):
            params["search[updated_min]"] = since[:10]
        return params


class Invoices(FreshBooksStream):
    """Invoices."""

    name = "invoices"
    path = "/invoices/invoices"
    schema = SCHEMA
    includes = INCLUDES


class Small(FreshBooksStream):
    """One of many short lists; all read the same one, for the time that asking takes."""

    path = "/taxes/taxes"
    records_jsonpath = "$.response.result.taxes[*]"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("name", th.StringType),
        th.Property("amount", th.StringType),
        th.Property("updated", th.StringType),
    ).to_dict()


class TapDefault(Tap):
    """FreshBooks, the SDK's way."""

    name = "tap-default"
    config_jsonschema = th.PropertiesList(
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("account_id", th.StringType, required=True),
        th.Property("api_url", th.StringType, required=True),
        th.Property("incremental", th.BooleanType, default=False),
        th.Property("small_streams", th.IntegerType, default=0),
    ).to_dict()

    @override
    def discover_streams(self) -> list[FreshBooksStream]:
        if number := self.config["small_streams"]:
            return [Small(self, name=f"small_{each}") for each in range(number)]
        stream = Invoices(self)
        if self.config["incremental"]:
            stream.replication_key = "updated"
        return [stream]


if __name__ == "__main__":
    TapDefault.cli()
