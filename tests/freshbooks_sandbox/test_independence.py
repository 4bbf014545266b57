from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import freshbooks_sandbox, freshbooks_sandbox.command
loaded = [name for name in sys.modules if name.startswith("tap_freshbooks.")]
print("\\n".join(name for name in loaded if not name.startswith("freshbooks_sandbox")))
"""


def test_the_sandbox_imports_nothing_of_the_tap() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
