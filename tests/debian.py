"""Where Debian keeps the programs that some tests need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def find_tool(name: str) -> Path | None:
    """Give the path of a Debian tool, as in ``find_tool("mosquitto")``; None where it is not installed."""
    homes = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), "/usr/sbin", "/usr/local/sbin"]
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, homes)]))
    return None if path is None else Path(path)
