"""Learned models as JSON files named by their content, each with its card; nothing is ever unpickled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import MalformedInput, UnknownRecord
from cropcredit.model import canonical_bytes, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonModels:
    """ModelStore: ``<id>.json``, ``<id>.md`` and ``current.json`` (crop -> ids promoted, latest last)."""

    folder: Path

    def save(self, artefact: dict[str, Any], card: str) -> str:
        """Store an artefact and its card; equal content has one id and is stored once."""
        model_id = digest(artefact)
        for suffix, data in (("md", card.encode()), ("json", canonical_bytes(artefact))):
            with replacing(self.folder / f"{model_id}.{suffix}") as partial:
                partial.write_bytes(data)
        return model_id

    def load(self, model_id: str) -> dict[str, Any]:
        """Read an artefact back.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        MalformedInput
            If the file no longer has the content its name promises.
        """
        file = self.folder / f"{model_id}.json"
        if not file.is_file():
            raise UnknownRecord("model", model_id, cure="train it: cropcredit yield train")
        data = file.read_bytes()
        if digest(data) != model_id:
            raise MalformedInput("was changed after it was stored", where=str(file), cure="train it again")
        loaded: dict[str, Any] = json.loads(data)
        return loaded

    def current(self, crop: str) -> str | None:
        """Give the model in use for a crop."""
        promoted = self.promoted(crop)
        return promoted[-1] if promoted else None

    def promoted(self, crop: str) -> list[str]:
        """Give every model that was ever put into use for a crop, latest last."""
        return self._promoted().get(crop, [])

    def promote(self, crop: str, model_id: str) -> None:
        """Put a stored model into use for a crop."""
        self.load(model_id)
        promoted = self._promoted()
        if promoted.get(crop, [""])[-1] == model_id:
            return
        promoted.setdefault(crop, []).append(model_id)
        with replacing(self.folder / "current.json") as partial:
            partial.write_text(json.dumps(promoted, indent=1, sort_keys=True) + "\n", "utf-8")

    def _promoted(self) -> dict[str, list[str]]:
        file = self.folder / "current.json"
        found: dict[str, list[str]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return found
