"""What the use cases need from the world; a port has the methods a use case calls, no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from numpy.typing import NDArray

from cropcredit.model import (
    Account,
    Ack,
    Added,
    Boot,
    Conflict,
    Crop,
    DeviceCertificate,
    DeviceState,
    Field,
    FieldObservations,
    FieldSeries,
    GrowingSeason,
    Promotion,
    Quarantined,
    RasterInfo,
    Reading,
    Record,
    RecordT,
    Rejection,
    SceneDraft,
    SceneQuery,
    VectorTable,
    Window,
    YieldEstimate,
)
from cropcredit.telemetry.rollup import Rollup
from cropcredit.telemetry.tracks import HourlyCourse

JobT = TypeVar("JobT")
DoneT = TypeVar("DoneT")


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Give the present instant, aware, UTC."""
        ...


class FactStore(Protocol):
    """Append-only records: parties, plantings, scenes, offers … A correction is a new version."""

    def add(self, *records: RecordT, new: bool = False) -> int:
        """Append records in one transaction; a record equal to the latest version under its id is not repeated.

        Parameters
        ----------
        *records
            Records, of one kind or several.
        new : bool
            Demand that none of the ids exists yet.

        Returns
        -------
        int
            How many versions were appended.

        Raises
        ------
        StateConflict
            If ``new`` and an id exists, or somebody appended the same version first; nothing is stored.
        """
        ...

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        """Read the version known at ``as_of`` (None: the latest).

        Raises
        ------
        UnknownRecord
            If there was none.
        """
        ...

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: str) -> list[RecordT]:
        """Read all records of a kind as known at ``as_of`` whose ``KEYS`` equal ``keys``, by id."""
        ...

    def history(self, kind: type[RecordT], record_id: str) -> list[RecordT]:
        """Read every version of one record, oldest first."""
        ...

    def by_hash(self, kind: type[RecordT], sha256: str) -> RecordT:
        """Read the very version an offer cites.

        Raises
        ------
        UnknownRecord
            If no version has that hash.
        """
        ...


class AccountStore(Protocol):
    """People who sign in at the desk."""

    def save(self, account: Account, password_hash: str) -> None: ...
    def accounts(self) -> list[Account]: ...
    def find(self, username: str) -> tuple[Account, str] | None:
        """Give the account and its password hash."""
        ...


class PasswordHasher(Protocol):
    """Argon2, behind two verbs."""

    def hash(self, password: str) -> str: ...
    def matches(self, password_hash: str, password: str) -> bool: ...


class SignInAttempts(Protocol):
    """Wrong passwords, so that guessing gets slow."""

    def failures(self, username: str) -> list[datetime]:
        """Give the wrong tries since the last success, oldest first."""
        ...

    def failed(self, username: str, at: datetime) -> None: ...
    def succeeded(self, username: str) -> None: ...


class FieldStore(Protocol):
    """The field register: boundary versions with fiboa columns."""

    def add(self, fields: Sequence[Field]) -> int:
        """Append boundary versions not yet held; returns how many were new."""
        ...

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]:
        """Read the version of each field known at ``as_of``, ordered by id."""
        ...


class ReadingStore(Protocol):
    """Durable readings, quarantine and what each device may forget."""

    def add(
        self,
        readings: Sequence[tuple[Reading, bytes]],
        rejections: Sequence[Rejection],
        *,
        received_at: datetime,
        known_at: datetime | None = None,
        tied: bool = False,
    ) -> Added:
        """Commit readings (with their received bytes) and rejections in one transaction.

        A reading already held under its identity with equal content is passed over; with other content it is kept as
        a conflict. Raises StoreUnavailable and stores nothing when the store cannot commit.

        Parameters
        ----------
        received_at : datetime
            When they arrived: what dates readings whose own clock does not.
        known_at : datetime, optional
            When the readings became known, if that is later than their arrival: they had been refused, and passed only
            when they were tried again. No computation for an earlier instant sees them.
        tied : bool
            The broker ties user names to topics: it is certain who sent the rejected messages.
        """
        ...

    def settled(self, boots: Iterable[tuple[str, int]]) -> list[Ack]:
        """Tell, for each (device, boot), which seqs are stored, rejected or in conflict."""
        ...

    def save_states(self, states: Sequence[DeviceState]) -> None:
        """Append device states."""
        ...

    def states(self, device_ids: Sequence[str] | None = None) -> dict[str, DeviceState]:
        """Give the latest state of each of these devices (None: of all); absent: it never told one."""
        ...

    def readings(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        known_by: datetime | None = None,
    ) -> Iterator[tuple[Reading, datetime]]:
        """Iterate over (reading, received_at) in order of device, boot and seq.

        Parameters
        ----------
        since, until : datetime, optional
            Only what was measured from ``since`` on and before ``until``: by the device's own clock where that can be
            right (it neither runs ahead nor was reset), else by the start of its boot, else by its arrival.
        known_by : datetime, optional
            Only what was known then: what had arrived, and had passed if it was refused at first.
        """
        ...

    def latest(self, device_ids: Sequence[str]) -> dict[str, tuple[Reading, datetime]]:
        """Give the reading each device measured last, and when it arrived; absent: none.

        Within a boot that is the highest seq, among boots the latest date: boot numbers need not be in order.
        """
        ...

    def spans(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], list[tuple[int, int]]]:
        """Give the settled seq ranges per (device, boot), ascending and disjoint: gaps are what lies between."""
        ...

    def boots(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], Boot]:
        """Give what the devices' states told about each (device, boot)."""
        ...

    def highest_boots(self, device_ids: Sequence[str]) -> dict[str, int]:
        """Give the highest boot ever seen of each device; absent: none."""
        ...

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
        """Read refused messages, those that arrived last first.

        Parameters
        ----------
        device_id, reason : str, optional
            Only those of this device, and only those that were refused for this reason when they were tried last.
        since : datetime, optional
            Only those that arrived since.
        open_only : bool
            Only those that never passed.
        after : int, optional
            Only those with a greater number, in the order of their numbers.
        """
        ...

    def quarantined_by_reason(self, *, device_id: str = "", since: datetime | None = None) -> dict[str, int]:
        """Count the refused messages that never passed, by the reason they were refused for last."""
        ...

    def replayed(self, outcomes: Mapping[int, str], *, at: datetime) -> None:
        """Note what became of refused messages, by number, when they were tried again."""
        ...

    def conflicts(
        self,
        device_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        known_by: datetime | None = None,
    ) -> list[Conflict]:
        """Give what contradicted a stored reading and arrived since, by device, boot, seq and arrival."""
        ...

    def counts(self) -> dict[str, int]:
        """Count readings, measurements, conflicts and quarantined messages."""
        ...


class RollupStore(Protocol):
    """What was measured in each hour and day of the local clock; right whatever the order of arrival."""

    def stale(self) -> list[str]:
        """Name the devices whose roll-ups do not hold all of their readings."""
        ...

    def refresh(self, device_ids: Sequence[str], *, done: Callable[[int], None] = ...) -> int:
        """Bring the roll-ups of these devices up to date; gives the number of readings that were new to them.

        ``done`` is called with the number of devices that were finished since. May be killed and repeated at will.
        """
        ...

    def rollups(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        hours: Literal[1, 24] = 24,
        known_by: datetime | None = None,
    ) -> list[Rollup]:
        """Give the windows that begin in [since, until), by device, quantity, channel and time, up to date.

        ``known_by``: as they were known then, whatever has arrived since.
        """
        ...

    def hourly(
        self,
        device_ids: Sequence[str],
        quantities: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        known_by: datetime | None = None,
    ) -> list[HourlyCourse]:
        """Give the hours of some quantities as columns, by device, quantity and channel: quick for whole months."""
        ...


class ReadingArchive(Protocol):
    """Where old readings go; whoever reads them does not see that they moved."""

    def retain(self, *, before: datetime, now: datetime, done: Callable[[int], None] = ...) -> int:
        """Move what was measured in the calendar months (UTC) that end before; gives the number of readings.

        The last reading of each boot stays. What roll-ups do not hold yet is not moved. ``done`` is called with the
        number of readings that were moved since. May be killed and repeated at will: at every instant a reading is in
        exactly one place.
        """
        ...


class CredentialStore(Protocol):
    """Secrets of devices; revocation takes effect at once."""

    def issue(
        self, device_ids: Sequence[str], *, at: datetime, others_end: datetime | None = None
    ) -> dict[str, tuple[str, bytes]]:
        """Make a new key for each device, all or none; gives (key id, secret of 32 bytes) by device.

        Parameters
        ----------
        others_end : datetime, optional
            When the keys that stand end; None: none may stand.

        Raises
        ------
        StateConflict
            If one stands that was not to; nothing was changed.
        """
        ...

    def revoke(self, device_id: str, *, at: datetime) -> None: ...

    def end_old(self, device_ids: Sequence[str], *, at: datetime) -> None:
        """End at once what was to end later: the devices have changed over."""
        ...

    def ends(self, device_ids: Iterable[str]) -> Mapping[str, Mapping[str, datetime]]:
        """Tell, by device and key id, which valid keys end by themselves, and when."""
        ...

    def keys(self, device_id: str) -> dict[str, bytes]:
        """Give the keys that are valid now, by key id; empty for an unknown or revoked device."""
        ...

    def known(self, device_ids: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Give the valid keys of many devices at once; empty for a revoked device, absent for an unknown one."""
        ...


class BrokerAccess(Protocol):
    """Who may log in at the broker."""

    def allow(self, logins: Mapping[str, str], *, after: timedelta = ...) -> None:
        """Let these user names in with these passwords, in place of any earlier ones, which count ``after`` so long."""
        ...

    def forbid(self, usernames: Iterable[str]) -> None:
        """Shut these user names out, and end their sessions."""
        ...

    def put_in_place(self, names: Iterable[str]) -> None:
        """Let the passwords that wait for their time count now."""
        ...

    def allow_bridge(self, name: str) -> str:
        """Let a network server in, which writes ``application/#`` and ``v3/#`` alone; returns its new password."""
        ...

    def bridges(self) -> list[str]:
        """Name the network servers that may log in."""
        ...

    def forbid_bridge(self, name: str) -> None:
        """Shut a network server out, and end its session."""
        ...


class DeviceCertificates(Protocol):
    """Certificates in devices' names, by the workspace's own authority; revoking does nothing where there is none."""

    @property
    def made(self) -> bool:
        """True when there is an authority."""
        ...

    def issue(self, device_id: str) -> DeviceCertificate:
        """Issue one beside any that stand.

        Raises
        ------
        RefusedInput
            If there is no authority.
        """
        ...

    def revoke(self, device_ids: Iterable[str], *, after: timedelta = ...) -> None:
        """Revoke all that these devices have now, ``after`` a while."""
        ...

    def end_old(self, device_ids: Iterable[str]) -> None:
        """Revoke at once what was to be revoked later."""
        ...


class RasterReader(Protocol):
    """Reads pixels; everything it knows about files stays inside."""

    def info(self, href: str, *, band: int = 1) -> RasterInfo: ...

    def read(self, href: str, windows: Iterable[Window], *, band: int = 1) -> Iterator[NDArray[Any]]:
        """Open once and read the digital numbers of one window after another, shape (rows, columns), unresampled."""
        ...

    def content_hash(self, hrefs: Sequence[str]) -> str: ...


class VectorFiles(Protocol):
    """Reads vector files of any format and coordinate system."""

    def read(self, path: str, *, crs: str = "", encoding: str = "", layer: str = "") -> VectorTable:
        """Read all features.

        Parameters
        ----------
        crs : str, optional
            Coordinate system to assume where the file names none.
        encoding : str, optional
            Of a shapefile's text; without it, what its .cpg file says.

        Raises
        ------
        MissingCRS, EmptyInput, MalformedInput
            If the file names no coordinate system, holds nothing, or cannot be read.
        """
        ...


class SceneFiles(Protocol):
    """Finds scenes in folders and files."""

    def describe(self, path: str, product: str) -> list[SceneDraft]:
        """Describe the scenes at ``path``, in order of their names."""
        ...


class SceneCatalogue(Protocol):
    """Finds scenes in catalogues that others publish."""

    def search(self, query: SceneQuery) -> Iterator[SceneDraft]:
        """Describe the scenes that fit, each once, in the order of the catalogue.

        An item that cannot be used says why (``problem``) and does not end the search.

        Raises
        ------
        RefusedInput
            If there is no catalogue, or it knows no such collection.
        StoreUnavailable
            If it does not answer, after several tries.
        """
        ...


class CoverageCache(Protocol):
    """Coverage matrices, content-addressed by grid and field set."""

    def has(self, key: str) -> bool: ...
    def load(self, key: str) -> dict[str, NDArray[Any]] | None: ...
    def save(self, key: str, arrays: dict[str, NDArray[Any]]) -> None: ...


class ObservationStore(Protocol):
    """The Parquet dataset of field observations, partitioned by tile and month."""

    def has(self, unit: str) -> bool:
        """Say whether the unit of work with this content key is finished."""
        ...

    def write(self, unit: str, observations: Sequence[FieldObservations]) -> None:
        """Write one unit whole: to a temporary name, then renamed; equal content gives equal bytes."""
        ...

    def read(self, units: Sequence[str], *, index: str = "") -> list[FieldObservations]:
        """Read the named units whole, or one index of them, in that order.

        Raises
        ------
        UnknownRecord
            If one is not there.
        """
        ...

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        """Read one index over time from the named units."""
        ...


class RunStore(Protocol):
    """Manifests of batch runs; wall-clock facts go to a separate log."""

    def write(
        self,
        run_id: str,
        manifest: dict[str, Any],
        log: dict[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, str]]] = ...,
    ) -> None:
        """Write a manifest, append to its log, and put named tables (rows by column) beside it."""
        ...

    def manifests(self, kind: str = "") -> list[dict[str, Any]]:
        """Read the manifests, oldest first."""
        ...


class EstimateStore(Protocol):
    """The Parquet dataset of yield estimates."""

    def write(self, run_id: str, estimates: Sequence[YieldEstimate]) -> None: ...
    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        """Give, per planting, the last estimate whose own ``as_of`` is not after this one."""
        ...


class ModelStore(Protocol):
    """Content-addressed model artefacts as JSON, with a card; never a pickle."""

    def save(self, artefact: dict[str, Any], card: str) -> str:
        """Store and return the model id (hash of the artefact)."""
        ...

    def load(self, model_id: str) -> dict[str, Any]: ...
    def ids(self) -> list[str]:
        """Name every stored model, in the order of their ids."""
        ...

    def current(self, crop: str) -> str | None:
        """Give the model in use for a crop."""
        ...

    def promoted(self, crop: str) -> list[str]:
        """Give every model that was ever put into use for a crop, latest last."""
        ...

    def promotions(self) -> list[Promotion]:
        """Give every promotion there ever was, latest last."""
        ...

    def promote(self, promotion: Promotion) -> None:
        """Put a stored model into use; nothing where it is already."""
        ...


class Catalogues(Protocol):
    """Names the field agrees on: crops, and when they grow."""

    def crop(self, code: str) -> Crop:
        """Look a crop up; raises UnknownName."""
        ...

    def crops(self) -> tuple[Crop, ...]: ...

    def seasons(self, crop: str) -> tuple[GrowingSeason, ...]:
        """Give the known growing seasons of a crop all over the world; none where no calendar names it."""
        ...


class TableReader(Protocol):
    """Reads a table whole, as text."""

    def rows(self, file: Path) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
        """Give the column names and, per row, its line in the file and its cells by column.

        Raises EmptyInput or MalformedInput, naming file and row.
        """
        ...


class YieldArchive(Protocol):
    """Reads a folder of past yields in a form other people publish."""

    def read(self, folder: Path, mapping: str, *, crop: str = "", lag_days: int | None = None) -> list[Record]:
        """Read labels, index and calendars of one crop as records, as a data mapping says.

        Raises RefusedInput, naming file, row and column, or the member of the mapping.
        """
        ...


class Spread(Protocol):
    """Where many independent pieces of work are done: here, in processes, on a cluster."""

    def __call__(self, work: Callable[[JobT], DoneT], jobs: Sequence[JobT], /) -> Iterator[DoneT]:
        """Run ``work(job)`` for every job; results come in the order in which they finish, and the first error ends it.

        ``work`` may be sent to another process or machine, so it is a function of a module, or a partial of one.
        """
        ...


class Progress(Protocol):
    """Tells the person waiting how far long work is."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Open a bar of ``total`` units (0: nobody knows); call the result with the number of units done since."""
        ...
