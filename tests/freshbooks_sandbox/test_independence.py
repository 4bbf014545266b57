from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import freshbooks_sandbox

FOLDERS = {
    "freshbooks_sandbox": Path(freshbooks_sandbox.__file__).parent,
    "its tests": Path(__file__).parent,
}
CODE = """
import sys
import freshbooks_sandbox.command
print([name for name in sys.modules if name.partition(".")[0] == "tap_freshbooks"])
"""


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_of_the_tap_is_imported(folder: str) -> None:
    files = list(FOLDERS[folder].rglob("*.py"))
    assert len(files) > 20
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            assert "tap_freshbooks" not in {name.partition(".")[0] for name in names}, file


def test_the_command_loads_nothing_of_the_tap() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
