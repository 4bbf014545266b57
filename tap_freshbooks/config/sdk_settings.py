"""Settings of the SDK whose own schemas do not say what they need, or fail at what they do not."""

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
        th.Property("batch_size", th.IntegerType(minimum=1, maximum=10**7)),
        additional_properties=False,
    ),
    title="Batch configuration",
    description="Writes records into files, and messages that name these",
)
"""The SDK's own schema does not say what it needs, nor all that it knows."""

STREAM_MAPS: th.Property[Any] = th.Property(
    "stream_maps",
    th.ObjectType(additional_properties=th.CustomType({"type": ["object", "string", "null"]})),
    title="Stream maps",
    description="Renames, filters and changes streams and their fields "
    "(https://sdk.meltano.com/en/latest/stream_maps.html)",
)
"""The SDK's own schema is none in one place; and maps of streams that are not read may be wrong."""

FLATTENING: tuple[th.Property[Any], ...] = (
    th.Property(
        "flattening_max_depth",
        th.IntegerType(minimum=0),
        title="Max flattening depth",
        description="With flattening_enabled: how many levels of objects become columns",
    ),
    th.Property(
        "flattening_max_key_length",
        th.IntegerType(minimum=1),
        title="Max key length",
        description="Characters of a flattened column's name, at most; longer ones are shortened",
    ),
)
"""The SDK takes negative numbers for none."""
