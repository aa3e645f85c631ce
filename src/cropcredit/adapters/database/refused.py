"""What was not stored as a reading, as it is read back: quarantine with its replays, and conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, bindparam, case, func, select, update

from cropcredit.adapters.database.bodies import read_body
from cropcredit.adapters.database.dialects import device_keys
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.ledger import kept, together
from cropcredit.adapters.database.tables import CONFLICT, QUARANTINE
from cropcredit.model import PASSED, TOLD_ANEW, Conflict, Quarantined, Refusals, Rejection, instant, microseconds

REASON = case((QUARANTINE.c.outcome == "", QUARANTINE.c.reason), else_=QUARANTINE.c.outcome)
"""What a message was refused for when it was tried last."""


class Refused:
    """The part of the store of readings that holds what is none."""

    _engine: Engine

    def quarantine(
        self,
        *,
        device_id: str = "",
        reason: str = "",
        since: datetime | None = None,
        open_only: bool = False,
        after: int | None = None,
        limit: int = 1000,
    ) -> list[Quarantined]:
        """Read refused messages; see :class:`cropcredit.ports.ReadingStore`."""
        query = select(QUARANTINE).where(*_chosen(device_id, since, open_only=open_only)).limit(limit)
        if reason:
            query = query.where(REASON.in_([reason]))
        if after is None:
            query = query.order_by(QUARANTINE.c.last_at.desc(), QUARANTINE.c.row.desc())
        else:
            query = query.where(QUARANTINE.c.row > after).order_by(QUARANTINE.c.row)
        with reading(self._engine) as connection:
            return [_quarantined(row) for row in connection.execute(query)]

    def quarantined_by_reason(self, *, device_id: str = "", since: datetime | None = None) -> dict[str, int]:
        """Count the refused messages that never passed, by reason."""
        query = select(REASON.label("reason"), func.count().label("messages"))
        query = query.where(*_chosen(device_id, since, open_only=True)).group_by(REASON).order_by(REASON)
        with reading(self._engine) as connection:
            return {row.reason: row.messages for row in connection.execute(query)}

    def refusals(self, *, since: datetime) -> dict[str, Refusals]:
        """Sum up the refused messages that never passed, by device."""
        device_id = QUARANTINE.c.device_id
        query = select(device_id, func.count().label("messages"), func.max(QUARANTINE.c.last_at).label("last_at"))
        query = (
            query.where(*_chosen("", since, open_only=True), device_id != "").group_by(device_id).order_by(device_id)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            return {row.device_id: Refusals(count=row.messages, last_at=instant(row.last_at)) for row in rows}

    def replayed(self, outcomes: Mapping[int, str], *, at: datetime) -> None:
        """Note what became of refused messages when they were tried again."""
        if not outcomes:
            return
        noted = update(QUARANTINE).where(QUARANTINE.c.row == bindparam("number"))
        rows = [{"number": number, "said": outcome} for number, outcome in outcomes.items()]
        with writing(self._engine) as connection:
            connection.execute(noted.values(replayed_at=microseconds(at), outcome=bindparam("said")), rows)

    def conflicts(
        self,
        device_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        known_by: datetime | None = None,
    ) -> list[Conflict]:
        """Give what contradicted a stored reading; see :class:`cropcredit.ports.ReadingStore`."""
        query = select(CONFLICT).order_by(CONFLICT.c.boot, CONFLICT.c.seq, CONFLICT.c.row)
        if since is not None:
            query = query.where(CONFLICT.c.received_at >= microseconds(since))
        if known_by is not None:
            query = query.where(CONFLICT.c.received_at <= microseconds(known_by))
        with reading(self._engine) as connection:
            keys = device_keys(connection, None if device_ids is None else set(device_ids))
            return [
                conflict
                for device_id, key in sorted(keys.items())
                for conflict in _conflicts(connection, key, device_id, query.where(CONFLICT.c.device == key))
            ]


def _conflicts(connection: Connection, device: int, device_id: str, query: Select[Any]) -> list[Conflict]:
    rows = list(connection.execute(query))
    where = together((row.boot, row.seq, row.seq) for row in rows)
    standing = {row.identity(): row.reading(device_id) for row in kept(connection, device, where)}
    return [
        Conflict(
            said=read_body(row.body, device_id, row.boot, row.seq, ""),
            stands=standing[row.boot, row.seq],
            received_at=instant(row.received_at),
            payload=row.payload,
        )
        for row in rows
    ]


def _chosen(device_id: str, since: datetime | None, *, open_only: bool) -> list[Any]:
    wanted: list[Any] = [QUARANTINE.c.device_id == device_id] if device_id else []
    if since is not None:
        wanted.append(QUARANTINE.c.last_at >= microseconds(since))
    if open_only:
        wanted.append(QUARANTINE.c.outcome.not_in((PASSED, TOLD_ANEW)))
    return wanted


def _quarantined(row: Any) -> Quarantined:
    return Quarantined(
        number=row.row,
        rejection=Rejection(
            topic=row.topic,
            payload=row.payload,
            reason=row.reason,
            detail=row.detail,
            device_id=row.device_id,
            boot=row.boot,
            seq=row.seq,
        ),
        first_at=instant(row.first_at),
        last_at=instant(row.last_at),
        times=row.times,
        tied=row.tied,
        replayed_at=None if row.replayed_at is None else instant(row.replayed_at),
        outcome=row.outcome,
    )
