"""Three files per crop, each whole or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.yield_pages.page import page
from cropcredit.usecases.yield_report_text import markdown


def write_report(facts: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``<crop>.md``, ``<crop>.html`` and ``<crop>.json``; equal facts give equal bytes.

    Raises
    ------
    StoreUnavailable
        If the disk refuses.
    """
    told = json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    texts = {"md": markdown(facts), "html": page(facts), "json": told}
    files = []
    for suffix, text in texts.items():
        file = folder / f"{facts['crop']}.{suffix}"
        with replacing(file) as partial:
            partial.write_bytes(text.encode())
        files.append(file)
    return files
