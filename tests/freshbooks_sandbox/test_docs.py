"""The example of docs/sandbox.md is a file of tests that passes in a project without the tap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
