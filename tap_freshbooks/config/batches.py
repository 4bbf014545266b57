"""The setting `batch_config`."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

BATCHES: th.Property[Any] = th.Property(
    "batch_config",
    th.ObjectType(
        th.Property(
            "encoding",
            th.ObjectType(
                th.Property(
                    "format", th.StringType(allowed_values=["jsonl", "parquet"]), required=True
                ),
                th.Property("compression", th.StringType(allowed_values=["gzip", "none"])),
                additional_properties=False,
            ),
            required=True,
        ),
        th.Property(
            "storage",
            th.ObjectType(
                th.Property("root", th.StringType(min_length=1), required=True),
                th.Property("prefix", th.StringType),
                th.Property("params", th.ObjectType(additional_properties=True)),
                additional_properties=False,
            ),
            required=True,
        ),
        th.Property("batch_size", th.IntegerType(minimum=1)),
        additional_properties=False,
    ),
    title="Batch configuration",
    description="Writes records into files, and messages that name these",
)
"""The SDK's setting, whose own schema does not say what it needs, nor all that it knows."""
