"""`python -m tests.config.fuzz 10000`: states, catalogs and settings in which something is odd.

Each is refused in a sentence, or each record that follows is of the SCHEMA that was sent.
"""

from __future__ import annotations

import io
import json
import logging
import random
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from freshbooks_sandbox import Sandbox
from tap_freshbooks.config.singer_files import read_catalog, read_state
from tap_freshbooks.errors import TapError
from tap_freshbooks.tap import TapFreshBooks
from tests.conftest import settings_for
from tests.support import Messages, catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("businesses", "items", "taxes", "tasks")
ODD: list[Any] = [
    *(None, True, 0, -1, 2**63, 10**40, 1.5, "", "x", "null", "a\0b", "é", "0001-01-01", "(", "id"),
    *([], [None], [[]], ["x"], [1], {}, {"": None}, {"x": {}}, {"type": "string"}, {"type": 5}),
    *("string", "number", "integer", "object", "array", "date", "date-time", "FULL_TABLE"),
    *(["string", "null"], ["null"], ["object", "array"], "9999-12-31T23:59:59-14:00"),
    *("__else__", "__NULL__", "name", "float(id)", "name + 1", "x = 1", {"__else__": None}),
]
MAPS: dict[str, Any] = {
    "items": {"name": "md5(name)", "__filter__": "id > 1", "__else__": None},
    "mine": {"__source__": "taxes", "__key_properties__": ["id"], "amount": "float(amount)"},
    "invoices": {"x": "id"},
}
CUSTOM: list[dict[str, Any]] = [
    {
        "name": "my_tasks",
        "path": "/accounting/account/{account_id}/projects/tasks",
        "records_path": "response.result.tasks",
        "schema": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "headers": {"X-A": "b"},
        "query": {"a": "b"},
    }
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a value, with a key or position in it."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def spoil(chance: random.Random, value: Any) -> None:
    """Put something odd somewhere into a value, or take something out of it."""
    container, key = chance.choice(list(places(value)) or [([None], 0)])
    kind = chance.random()
    if kind < 0.6:
        container[key] = deepcopy(chance.choice(ODD))
    elif kind < 0.8 and isinstance(container, dict):
        container[str(chance.choice(ODD))] = deepcopy(chance.choice(ODD))
    elif kind < 0.9 and isinstance(container, list):
        container.append(deepcopy(container[key]))
    else:
        del container[key]


def file_of(content: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(json.dumps(content).encode()))


def attempt(chance: random.Random, settings: dict[str, Any], state: dict[str, Any]) -> str:
    """Run the tap with something odd; what came of it."""
    entries = catalog_of(*STREAMS)["streams"]
    given: dict[str, Any] = {
        "catalog": {"streams": [each for each in entries if each["stream"] in STREAMS]},
        "state": deepcopy(state),
        "maps": deepcopy(MAPS),
        "custom": deepcopy(CUSTOM),
    }
    kind = chance.choice([*given, "state"])
    for _ in range(chance.choice((1, 1, 2, 5))):
        spoil(chance, given[kind])
    more = {"maps": "stream_maps", "custom": "custom_streams"}
    config = {**settings, **({more[kind]: given[kind]} if kind in more else {})}
    messages = Messages()
    try:
        TapFreshBooks(
            config=config,
            catalog=read_catalog(file_of(given["catalog"])),
            state=read_state(file_of(given["state"])),
            message_writer=messages,
        ).sync()
    except TapError as error:
        return f"{kind}: {type(error).__name__}"
    except Exception:
        sys.stderr.write(f"{kind}: {json.dumps(given[kind])}\n")
        raise
    finally:
        check(messages)
    return f"{kind}: done"


def check(messages: Messages) -> None:
    """Each record is of its schema."""
    schemas = {each["stream"]: each["schema"] for each in messages.all if each["type"] == "SCHEMA"}
    for stream, records in messages.records.items():
        validator = DEFAULT_JSONSCHEMA_VALIDATOR(schemas[stream])
        if not stream.startswith("mine") and records:
            errors = [each.message for each in validator.iter_errors(records[0])]
            assert not errors, (stream, errors)


def main(times: int, seed: int = 1) -> None:
    """Attempt it many times."""
    logging.disable()
    chance = random.Random(seed)  # noqa: S311 - the same each time
    counts: dict[str, int] = {}
    with Sandbox(invoices=5, rate_limit=0) as sandbox, tempfile.TemporaryDirectory() as folder:
        settings = {
            **settings_for(sandbox, Path(folder)),
            "max_attempts": 1,
            "hard_deletes": "tombstones",
            "webhook_inbox": str(Path(folder) / "inbox.sqlite"),
        }
        messages = Messages()
        catalog = catalog_of(*STREAMS)
        TapFreshBooks(config=settings, catalog=catalog, message_writer=messages).sync()
        for _ in range(times):
            came = attempt(chance, settings, messages.state)
            counts[came] = counts.get(came, 0) + 1
    for came, count in sorted(counts.items()):
        sys.stdout.write(f"{count:7} {came}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
