"""The setting `custom_streams`: its name, form and description."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

CUSTOM_STREAMS: th.Property[Any] = th.Property(
    "custom_streams",
    th.ArrayType(
        th.ObjectType(
            th.Property("name", th.StringType(pattern="^[a-z][a-z0-9_]*$"), required=True),
            th.Property("override", th.BooleanType),
            th.Property("path", th.StringType(pattern="^/")),
            th.Property("identifier", th.StringType),
            th.Property("records_path", th.StringType(min_length=1)),
            th.Property("primary_keys", th.ArrayType(th.StringType)),
            th.Property("query", th.ObjectType(additional_properties=True)),
            th.Property(
                "headers", th.ObjectType(additional_properties=th.StringType(pattern="^[ -~]*$"))
            ),
            th.Property("queries", th.ArrayType(th.ObjectType(additional_properties=True))),
            th.Property("paging", th.StringType(allowed_values=["metadata", "until_empty"])),
            th.Property("replication_key", th.StringType),
            th.Property("filter", th.StringType),
            th.Property(
                "deletions",
                th.StringType(allowed_values=["vis_state", "active", "hard_deletes", "none"]),
            ),
            th.Property("oauth_scope", th.StringType),
            th.Property("schema", th.ObjectType(additional_properties=True)),
            additional_properties=False,
        )
    ),
    title="Custom streams",
    description="Endpoints that the tap does not know, as streams: a list of objects with "
    "name, path, records_path and more (docs/custom-streams.md)",
)
"""The setting; docs/custom-streams.md explains it."""
