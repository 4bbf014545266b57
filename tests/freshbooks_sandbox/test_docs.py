"""docs/sandbox.md has each behaviour, and an example that passes in a project without the tap."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

from freshbooks_sandbox.behaviours import Behaviours

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
WITHOUT_TAP = """
import sys
import pytest
sys.modules["tap_freshbooks"] = None
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "test_invoices.py"]))
"""


def test_the_example_passes_in_a_project_of_its_own(tmp_path: Path) -> None:
    section = DOCS.read_text().partition("### In the tests of another project")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "test_invoices.py").write_text(example)
    command = [sys.executable, "-c", WITHOUT_TAP]
    done = subprocess.run(
        command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_table_of_behaviours_has_each_with_its_values() -> None:
    section = DOCS.read_text().partition("\n## Behaviours\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE)
    documented = {name: tuple(re.findall(r"`([\w-]+)`", values)) for name, values in rows}
    hints = get_type_hints(Behaviours).items()
    # Those that take names of resources are texts.
    assert documented == {name: get_args(hint) or ("all",) for name, hint in hints}, (
        "correct the table of behaviours in docs/sandbox.md"
    )
