"""What the figures were measured on and with."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from benchmarks import venvs

PACKAGES = {
    venvs.TAP: ("tap-freshbooks", "singer-sdk", "msgspec", "requests"),
    "sdk-default": ("singer-sdk", "requests"),
    "airbyte": ("airbyte-cdk", "requests"),
    "dlt": ("dlt", "requests"),
    "floors": ("msgspec", "requests"),
}


@cache
def packages() -> dict[str, str]:
    """Versions of each environment, in a line."""
    return {
        name: ", ".join(f"{key} {value}" for key, value in venvs.versions(name, wanted).items())
        for name, wanted in PACKAGES.items()
    }


def description() -> dict[str, object]:
    """Processor, memory, system, Python, packages, and the moment."""
    processor = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    kilobytes = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return {
        "processor": processor[1].strip() if processor else platform.machine(),
        "cores": os.cpu_count(),
        "memory": f"{int(kilobytes[1]) / 2**20:.0f} GiB" if kilobytes else "unknown",
        "system": f"{system}, Linux {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": packages(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
