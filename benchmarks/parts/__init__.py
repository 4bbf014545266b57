"""The parts of the benchmark; each gives plain numbers for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.parts.cpu import cpu
from benchmarks.parts.idle import idle
from benchmarks.parts.latency import latency
from benchmarks.parts.memory import memory
from benchmarks.parts.requests_and_records import requests
from benchmarks.parts.sequential import sequential
from benchmarks.parts.startup import startup
from benchmarks.parts.unified import unified
from benchmarks.parts.window import window

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Part

PARTS: dict[str, Callable[[Bench], Part]] = {
    "requests": requests,
    "startup": startup,
    "cpu": cpu,
    "latency": latency,
    "idle": idle,
    "unified": unified,
    "sequential": sequential,
    "memory": memory,
    "window": window,
}
