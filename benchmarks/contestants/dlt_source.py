"""dlt's rest_api source, as its documentation has it: extract and normalise, load nothing."""

from __future__ import annotations

import os
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

url, account, folder = sys.argv[1:]

params = {
    "per_page": 100,
    "include[]": [
        *("lines", "presentation", "allowed_gateways", "contacts", "owner"),
        *("late_fee", "late_reminders", "direct_links", "attachments"),
    ],
}
endpoint = {
    "path": f"accounting/account/{account}/invoices/invoices",
    "params": params,
    "data_selector": "response.result.invoices",
    "paginator": {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "total_path": "response.result.pages",
    },
}
if "BENCH_INCREMENTAL" in os.environ:
    endpoint["incremental"] = {
        "start_param": "search[updated_min]",
        "cursor_path": "updated",
        "initial_value": "2000-01-01 00:00:00",
        "convert": lambda timestamp: timestamp[:10],
    }

source = rest_api_source(
    {
        "client": {
            "base_url": url,
            "auth": {"type": "bearer", "token": os.environ["BENCH_TOKEN"]},
        },
        "resources": [{"name": "invoices", "primary_key": "id", "endpoint": endpoint}],
    }
)
pipeline = dlt.pipeline(
    "freshbooks",
    pipelines_dir=folder,
    destination=dlt.destinations.filesystem(f"file://{folder}/loaded"),
    dataset_name="freshbooks",
)
pipeline.extract(source)
pipeline.normalize()
