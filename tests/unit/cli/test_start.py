"""What a command costs before it does anything."""

from __future__ import annotations

import subprocess
import sys

SLOW = ("geopandas", "pandas", "pyogrio", "scipy.stats", "sklearn", "streamlit", "xarray")
"""Libraries of which each takes half a second or more to import, and which few commands need."""
LOOK = f"import sys, cropcredit.cli; print([name for name in {SLOW!r} if name in sys.modules])"


def test_a_command_starts_without_the_libraries_that_few_commands_need():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
