"""The upper floor: fetch each page, decode it, and write each row as a Singer message."""

from __future__ import annotations

import os
import sys

import msgspec
import requests

url, account, _ = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['BENCH_TOKEN']}"
decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
write = sys.stdout.buffer.write
page = pages = 1
while page <= pages:
    response = session.get(
        f"{url}/accounting/account/{account}/invoices/invoices",
        params={"page": page, "per_page": 100},
        timeout=60,
    )
    result = decode(response.content)["response"]["result"]
    pages = result["pages"]
    for row in result["invoices"]:
        write(encode({"type": "RECORD", "stream": "invoices", "record": row}) + b"\n")
    page += 1
