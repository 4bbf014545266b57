"""The upper floor: fetch each page, decode it, and write each row as a Singer message."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

url, account, at_once = sys.argv[1:]
own = threading.local()
decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


def fetch(page: int) -> dict[str, Any]:
    """A page, decoded; each thread has a connection of its own."""
    if not hasattr(own, "session"):
        own.session = requests.Session()
        own.session.headers["Authorization"] = f"Bearer {os.environ['BENCH_TOKEN']}"
    response = own.session.get(
        f"{url}/accounting/account/{account}/invoices/invoices",
        params={"page": page, "per_page": 100},
        timeout=60,
    )
    return decode(response.content)["response"]["result"]


def lines(result: dict[str, Any]) -> Iterator[bytes]:
    """The rows of a page as messages."""
    for row in result["invoices"]:
        yield encode({"type": "RECORD", "stream": "invoices", "record": row}) + b"\n"


write = sys.stdout.buffer.write
first = fetch(1)
for line in lines(first):
    write(line)
rest = range(2, first["pages"] + 1)
if at_once == "1":
    for page in rest:
        for line in lines(fetch(page)):
            write(line)
else:
    with ThreadPoolExecutor(int(at_once)) as pool:
        for written in pool.map(lambda page: b"".join(lines(fetch(page))), rest):
            write(written)
