"""The lower floor: fetch each page with requests, and throw it away."""

from __future__ import annotations

import json
import os
import sys

import requests

url, account, _ = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['BENCH_TOKEN']}"
page = pages = 1
while page <= pages:
    response = session.get(
        f"{url}/accounting/account/{account}/invoices/invoices",
        params={"page": page, "per_page": 100},
        timeout=60,
    )
    if page == 1:
        pages = json.loads(response.content)["response"]["result"]["pages"]
    page += 1
