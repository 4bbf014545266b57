"""`freshbooks-sandbox`, and `python -m freshbooks_sandbox`."""

from __future__ import annotations

import sys
from importlib import import_module

from freshbooks_sandbox import missing_extra

USAGE = 2
"""The exit status of a command that cannot begin, as click has it."""


def main() -> None:
    """Entry point of the console script."""
    try:
        command = import_module("freshbooks_sandbox.command").sandbox
    except ModuleNotFoundError as error:
        sys.stderr.write(f"Error: {missing_extra(error)}\n")
        sys.exit(USAGE)
    command(prog_name="freshbooks-sandbox")


if __name__ == "__main__":
    main()
