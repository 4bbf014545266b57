"""A tap as the SDK's template and documentation lead to it: REST stream, JSONPath, types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoices_schema import SCHEMA
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseAPIPaginator, PageNumberPaginator, SinglePagePaginator
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


class ListPages(PageNumberPaginator):
    """Goes on for as long as a list says that there are more pages, wherever it says so."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        answer = response.json()
        facts = answer.get("meta") or answer.get("response", {}).get("result", {})
        if "pages" in facts:
            return bool(facts["page"] < facts["pages"])
        return bool(facts["page"] * facts["per_page"] < facts["total"])


class Listed(RESTStream[int]):
    """One of the documented lists, for each account or business."""

    def __init__(self, tap: Tap, facts: dict[str, Any]) -> None:
        self.facts = facts
        fields = {name: {"type": [kind, "null"]} for name, kind in facts["fields"].items() if kind}
        fields |= {facts["identifier"]: {"type": ["string", "integer"]}}
        fields.setdefault(facts["key"], {"type": ["string", "integer"]})
        super().__init__(tap, name=facts["name"], schema={"type": "object", "properties": fields})
        self.primary_keys = (facts["identifier"], facts["key"])
        self.path = facts["path"]
        self.replication_key = facts["changed"]

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @property
    @override
    def records_jsonpath(self) -> str:
        return f"$.{'.'.join(self.facts['rows'])}[*]"

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        name = self.facts["identifier"]
        field = "id" if name == "business_id" else name
        found = [business[field] for business in self.config["businesses"]]
        return [
            {name: identifier, "pass": number}
            for identifier in found
            for number in range(len(self.facts["passes"]))
            if identifier
        ]

    @override
    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        return SinglePagePaginator() if self.facts["style"] == "none" else ListPages(start_value=1)

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: int | None
    ) -> dict[str, Any]:
        params = dict(self.facts["passes"][context["pass"] if context else 0])
        if self.facts["style"] != "none":
            params |= {"page": next_page_token or 1, "per_page": 100}
        if self.replication_key and (since := self.get_starting_replication_key_value(context)):
            # The filter of accounting knows days alone.
            day = self.facts["since"].startswith("search")
            params[self.facts["since"]] = since[:10] if day else since
        return params


class TapDefault(Tap):
    """FreshBooks, the SDK's way."""

    name = "tap-default"
    config_jsonschema = th.PropertiesList(
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("account_id", th.StringType, required=True),
        th.Property("api_url", th.StringType, required=True),
        th.Property("incremental", th.BooleanType, default=False),
        th.Property("small_streams", th.IntegerType, default=0),
        th.Property("lists", th.ArrayType(th.ObjectType())),
        th.Property("businesses", th.ArrayType(th.ObjectType())),
    ).to_dict()

    @override
    def discover_streams(self) -> list[RESTStream[int]]:
        if lists := self.config.get("lists"):
            return [Listed(self, facts) for facts in lists]
        if number := self.config["small_streams"]:
            return [Small(self, name=f"small_{each}") for each in range(number)]
        stream = Invoices(self)
        if self.config["incremental"]:
            stream.replication_key = "updated"
        return [stream]


if __name__ == "__main__":
    TapDefault.cli()
