"""Learned models as JSON files named by their content, each with its card; nothing is ever unpickled."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import MalformedInput, StoreUnavailable, UnknownRecord
from cropcredit.model import Promotion, canonical_bytes, digest

ID_LENGTH = 64
"""Hexadecimal digits of a model id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonModels:
    """ModelStore: ``<id>.json`` and ``<id>.md``, and ``promotions.jsonl``, to which one line is added per promotion."""

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

    def ids(self) -> list[str]:
        """Name every stored model, in the order of their ids."""
        return sorted(file.stem for file in self.folder.glob("*.json") if len(file.stem) == ID_LENGTH)

    def current(self, crop: str) -> str | None:
        """Give the model in use for a crop."""
        promoted = self.promoted(crop)
        return promoted[-1] if promoted else None

    def promoted(self, crop: str) -> list[str]:
        """Give every model that was ever put into use for a crop, latest last."""
        return [promotion.model_id for promotion in self.promotions() if promotion.crop == crop]

    def promotions(self) -> list[Promotion]:
        """Give every promotion there ever was, latest last; those of old stores come first and without a reason.

        Raises
        ------
        MalformedInput
            If a line is no promotion: somebody else wrote into the store.
        """
        found = [
            Promotion(crop=crop, model_id=model_id, at=None, by="", reason="")
            for crop, model_ids in self._old().items()
            for model_id in model_ids
        ]
        # What stands behind the last line break was cut off by a crash: it never happened.
        whole = self._log.read_bytes().rpartition(b"\n")[0] if self._log.is_file() else b""
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                found.append(msgspec.json.decode(line, type=Promotion))
            except msgspec.DecodeError as error:
                raise MalformedInput(
                    f"line {number} is no promotion: {error}", where=str(self._log), cure="restore it from a backup"
                ) from error
        return found

    def promote(self, promotion: Promotion) -> None:
        """Put a stored model into use; nothing where it is already.

        Raises
        ------
        UnknownRecord, MalformedInput
            If there is no such model, or its file was changed.
        """
        self.load(promotion.model_id)
        if self.current(promotion.crop) == promotion.model_id:
            return
        try:
            with self._log.open("ab") as log:
                log.truncate(self._whole())
                log.write(canonical_bytes(promotion) + b"\n")
                log.flush()
                os.fsync(log.fileno())
        except OSError as error:
            raise StoreUnavailable(f"{self._log} cannot be written: {error.strerror or error}") from error

    @property
    def _log(self) -> Path:
        return self.folder / "promotions.jsonl"

    def _whole(self) -> int:
        """Count the bytes up to the last line break."""
        return self._log.read_bytes().rfind(b"\n") + 1

    def _old(self) -> dict[str, list[str]]:
        """Read what stores kept before promotions had reasons: crop -> ids, latest last."""
        file = self.folder / "current.json"
        found: dict[str, list[str]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return found
