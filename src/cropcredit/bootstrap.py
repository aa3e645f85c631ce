"""Settings -> App: the only place that wires adapters to use cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from cropcredit import wire
from cropcredit.adapters import health
from cropcredit.adapters.broker import Broker, Kind, tells_who_speaks
from cropcredit.adapters.broker_access import SERVICE_USER, FileBrokerAccess, service_password
from cropcredit.adapters.broker_conf import Door
from cropcredit.adapters.catalogues import TomlCatalogues, load_decoders, load_quantities, read_toml
from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.cogs import write_cog
from cropcredit.adapters.cubes import write_cube
from cropcredit.adapters.dask import OnCluster
from cropcredit.adapters.database import DatabaseAccounts, DatabaseFacts, open_database
from cropcredit.adapters.database.archive import DatabaseArchive
from cropcredit.adapters.database.credentials import DatabaseCredentials
from cropcredit.adapters.database.lease import Lease, lease
from cropcredit.adapters.database.moved import keep_old_readings_in
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.database.rollups import DatabaseRollups
from cropcredit.adapters.estimates import ParquetEstimates
from cropcredit.adapters.findings import Finding
from cropcredit.adapters.memo import NpzCache
from cropcredit.adapters.models import JsonModels
from cropcredit.adapters.mqtt import Subscriber
from cropcredit.adapters.parquet import ParquetFields, ParquetObservations
from cropcredit.adapters.passwords import Argon2Hasher, MemoryAttempts
from cropcredit.adapters.pictures import draw_scene, draw_sheet
from cropcredit.adapters.rasters import RasterioReader
from cropcredit.adapters.runs import JsonRuns
from cropcredit.adapters.scenes import SceneFolders
from cropcredit.adapters.secret_file import load_or_make
from cropcredit.adapters.stac import StacCatalogues
from cropcredit.adapters.tables import CsvTables
from cropcredit.adapters.value_files import write_values
from cropcredit.adapters.vectors import VectorReader
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.adapters.yield_pages import write_report
from cropcredit.config import Settings, data_dir
from cropcredit.ports import AccountStore, Catalogues, Clock, FactStore, RollupStore, Spread
from cropcredit.telemetry.rate import RateLimiter
from cropcredit.units import Quantity
from cropcredit.usecases.accounts import AddAccount, ListAccounts, Recognise, SignIn
from cropcredit.usecases.add_scenes import AddScenes
from cropcredit.usecases.book import BookLoan
from cropcredit.usecases.bridges import LetBridgeIn
from cropcredit.usecases.case_evidence import GatherCaseEvidence
from cropcredit.usecases.cases import OpenCase, Queue
from cropcredit.usecases.contact_sheet import LookAtField
from cropcredit.usecases.decide import Decide
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.device_tables import ReadDeviceTables
from cropcredit.usecases.devices import AddDevices, CountSilent, ListDevices, PlaceDevices, RevokeDevice, RotateKeys
from cropcredit.usecases.estimate_yield import EstimateYields
from cropcredit.usecases.export_cube import ExportCube
from cropcredit.usecases.export_readings import ExportReadings
from cropcredit.usecases.field_features import MeasureFields
from cropcredit.usecases.first_reading import CheckInstallation
from cropcredit.usecases.import_fields import CheckFields, ImportFields
from cropcredit.usecases.import_policy import ImportPolicy
from cropcredit.usecases.import_records import ImportPriceSeries, ImportRecords
from cropcredit.usecases.ingest import Ingested, IngestMessages
from cropcredit.usecases.inventory import TakeStock
from cropcredit.usecases.limits import Shares
from cropcredit.usecases.list_runs import ListRuns
from cropcredit.usecases.models import ListModels, PromoteModel
from cropcredit.usecases.other_formats import ModelOf
from cropcredit.usecases.oversee import OverseeDevices
from cropcredit.usecases.parallel import InProcesses, one_by_one
from cropcredit.usecases.quarantine import ReplayQuarantine, ShowConflicts, ShowQuarantine
from cropcredit.usecases.quicklook import LookAtScene
from cropcredit.usecases.refresh_ndvi import RefreshNdvi
from cropcredit.usecases.retain import RetainReadings
from cropcredit.usecases.rollups import RefreshRollups
from cropcredit.usecases.search_scenes import SearchScenes
from cropcredit.usecases.season_evidence import GradeSeason
from cropcredit.usecases.size_loan import ReplayOffer, SizeAll, SizeLoan
from cropcredit.usecases.surroundings import GatherSurroundings
from cropcredit.usecases.telemetry import FindGaps, SummariseSensors
from cropcredit.usecases.train_yields import ReadYields, TrainYields, ValidateYields
from cropcredit.usecases.yield_report import ReportYields

RELEASED_ON = datetime(2026, 11, 1, tzinfo=UTC)


class Examine(Protocol):
    """Looks at the machine around the workspace."""

    def __call__(self, *, now: datetime) -> list[Finding]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything an entry point may call."""

    settings: Settings
    clock: Clock
    facts: FactStore
    catalogues: Catalogues
    accounts: AccountStore
    examine: Examine
    sign_in: SignIn
    recognise: Recognise
    add_account: AddAccount
    list_accounts: ListAccounts
    import_fields: ImportFields
    check_fields: CheckFields
    add_scenes: AddScenes
    search_scenes: SearchScenes
    refresh_ndvi: RefreshNdvi
    spread: Callable[[int, str], Spread]
    """``spread(workers, scheduler)``: where a batch is computed: here, in processes, on a cluster."""
    export_cube: ExportCube
    look_at_scene: LookAtScene
    look_at_field: LookAtField
    list_runs: ListRuns
    train_yields: TrainYields
    validate_yields: ValidateYields
    report_yields: ReportYields
    list_models: ListModels
    promote_model: PromoteModel
    estimate_yields: EstimateYields
    measure_fields: MeasureFields
    import_records: ImportRecords
    import_series: ImportPriceSeries
    import_policy: ImportPolicy
    case_evidence: GatherCaseEvidence
    queue: Queue
    open_case: OpenCase
    size_loan: SizeLoan
    size_all: SizeAll
    replay_offer: ReplayOffer
    decide: Decide
    book_loan: BookLoan
    add_devices: AddDevices
    place_devices: PlaceDevices
    revoke_device: RevokeDevice
    rotate_keys: RotateKeys
    let_bridge_in: LetBridgeIn
    list_devices: ListDevices
    count_silent: CountSilent
    check_installation: CheckInstallation
    oversee_devices: OverseeDevices
    device_tables: ReadDeviceTables
    ingest_messages: IngestMessages
    find_gaps: FindGaps
    show_quarantine: ShowQuarantine
    show_conflicts: ShowConflicts
    replay_quarantine: ReplayQuarantine
    rollups: RollupStore
    refresh_rollups: RefreshRollups
    retain_readings: RetainReadings
    export_readings: ExportReadings
    summarise_sensors: SummariseSensors
    grade_season: GradeSeason
    take_stock: TakeStock
    make_broker: Callable[..., Broker]
    """``make_broker(host=None, port=None, kind=None).start()``: the broker of this workspace."""
    make_subscriber: Callable[[], Subscriber]
    """``make_subscriber().run(stop)``: ingest, until the event is set; hold ``ingest_lease()`` meanwhile."""
    ingest_lease: Callable[[], Lease]


def build(settings: Settings) -> App:
    """Open the stores of a workspace and wire the use cases to them."""
    engine = open_database(settings.database)
    keep_old_readings_in(engine, settings.home / "readings")
    facts = DatabaseFacts(engine)
    accounts, hasher = DatabaseAccounts(engine), Argon2Hasher()
    clock = SystemClock(timedelta(seconds=settings.clock_shift_s))
    broker = (settings.broker_host, settings.broker_port)
    home = settings.home
    fields, rasters = ParquetFields(folder=home / "fields"), RasterioReader(root=home)
    observations, runs = ParquetObservations(folder=home / "observations"), JsonRuns(folder=home / "runs")
    catalogues, models = TomlCatalogues(data_dir() / "catalogues"), JsonModels(folder=home / "models")
    tables, readings, credentials = CsvTables(), DatabaseReadings(engine), DatabaseCredentials(engine, clock=clock)
    access, certificates = FileBrokerAccess(home / "broker"), CertificateAuthority(home / "broker" / "tls")
    add_devices = AddDevices(
        facts=facts,
        credentials=credentials,
        access=access,
        certificates=certificates,
        clock=clock,
        reserved={SERVICE_USER, settings.broker_user},
    )
    rollups = DatabaseRollups(engine, zone=settings.time_zone)
    quantities = load_quantities(data_dir() / "catalogues" / "quantities.toml")
    ingest = IngestMessages(
        store=readings,
        credentials=credentials,
        clock=clock,
        quantities=quantities,
        signed_only=settings.require_mac or not tells_who_speaks(home / "broker"),
        shares=Shares(RateLimiter(), spans=readings.spans),
        decoders=_decoders(home, quantities),
        model_of=ModelOf(facts),
    )
    import_records = ImportRecords(
        facts=facts,
        tables=tables,
        catalogues=catalogues,
        clock=clock,
        zone=settings.time_zone,
        identity_key=load_or_make(home / "identity.key"),
    )
    archive = YieldFolders(mappings=data_dir() / "catalogues" / "mappings", catalogues=catalogues)
    read_yields = ReadYields(importer=import_records, archive=archive)
    validate_yields = ValidateYields(facts=facts, catalogues=catalogues, read=read_yields)
    estimates = ParquetEstimates(folder=home / "estimates")
    size_loan = SizeLoan(facts=facts, fields=fields, estimates=estimates, catalogues=catalogues, clock=clock)
    summarise_sensors = SummariseSensors(
        facts=facts,
        readings=readings,
        clock=clock,
        quantities=quantities,
        zone=settings.time_zone,
        surroundings=GatherSurroundings(
            facts=facts,
            fields=fields,
            rollups=rollups,
            runs=runs,
            observations=observations,
            quantities=quantities,
            zone=settings.time_zone,
        ),
    )
    measure_fields = MeasureFields(
        facts=facts,
        fields=fields,
        observations=observations,
        runs=runs,
        catalogues=catalogues,
        zone=settings.time_zone,
        sensors=summarise_sensors,
    )
    take_stock = TakeStock(
        facts=facts, summarise=summarise_sensors, catalogues=catalogues, clock=clock, zone=settings.time_zone
    )
    list_devices = ListDevices(facts=facts, credentials=credentials, readings=readings, clock=clock)
    find_gaps = FindGaps(readings=readings)
    return App(
        settings=settings,
        clock=clock,
        facts=facts,
        catalogues=catalogues,
        accounts=accounts,
        examine=partial(
            health.examine,
            settings.home,
            database=engine.url.render_as_string(hide_password=True),
            broker=broker,
            holder=lease(engine, settings.broker_user).holder,
            released_on=RELEASED_ON,
        ),
        sign_in=SignIn(accounts=accounts, hasher=hasher, attempts=MemoryAttempts(), clock=clock),
        recognise=Recognise(accounts=accounts),
        add_account=AddAccount(accounts=accounts, hasher=hasher),
        list_accounts=ListAccounts(accounts=accounts),
        import_fields=ImportFields(fields=fields, vectors=VectorReader(), clock=clock, time_zone=settings.time_zone),
        check_fields=CheckFields(fields=fields, facts=facts),
        add_scenes=AddScenes(facts=facts, files=SceneFolders(root=home), rasters=rasters),
        search_scenes=SearchScenes(catalogue=StacCatalogues(root=home), fields=fields),
        refresh_ndvi=RefreshNdvi(
            facts=facts,
            fields=fields,
            rasters=rasters,
            cache=NpzCache(folder=home / "cache" / "coverage"),
            observations=observations,
            runs=runs,
            clock=clock,
        ),
        spread=_spread,
        export_cube=ExportCube(fields=fields, observations=observations, write=write_cube),
        look_at_scene=LookAtScene(facts=facts, fields=fields, rasters=rasters, draw=draw_scene, write=write_cog),
        look_at_field=LookAtField(
            facts=facts, fields=fields, rasters=rasters, observations=observations, runs=runs, draw=draw_sheet
        ),
        list_runs=ListRuns(runs=runs),
        train_yields=TrainYields(facts=facts, catalogues=catalogues, models=models, read=read_yields, clock=clock),
        validate_yields=validate_yields,
        report_yields=ReportYields(validate=validate_yields, catalogues=catalogues, write=write_report),
        list_models=ListModels(models=models),
        promote_model=PromoteModel(models=models, accounts=accounts, clock=clock),
        estimate_yields=EstimateYields(
            facts=facts,
            fields=fields,
            observations=observations,
            runs=runs,
            models=models,
            estimates=estimates,
            catalogues=catalogues,
            clock=clock,
            zone=settings.time_zone,
            features=measure_fields,
        ),
        measure_fields=measure_fields,
        import_records=import_records,
        import_series=ImportPriceSeries(facts=facts, tables=tables, catalogues=catalogues, zone=settings.time_zone),
        import_policy=ImportPolicy(facts=facts, clock=clock, read=read_toml),
        case_evidence=GatherCaseEvidence(
            facts=facts,
            observations=observations,
            runs=runs,
            summarise=summarise_sensors,
            take_stock=take_stock,
            clock=clock,
        ),
        queue=Queue(facts=facts, clock=clock),
        open_case=OpenCase(facts=facts, fields=fields, estimates=estimates, catalogues=catalogues, clock=clock),
        size_loan=size_loan,
        size_all=SizeAll(facts=facts, clock=clock, size_loan=size_loan),
        replay_offer=ReplayOffer(facts=facts, fields=fields, catalogues=catalogues),
        decide=Decide(facts=facts, accounts=accounts, clock=clock),
        book_loan=BookLoan(facts=facts, accounts=accounts, clock=clock, zone=settings.time_zone),
        add_devices=add_devices,
        place_devices=PlaceDevices(facts=facts, fields=fields),
        revoke_device=RevokeDevice(
            facts=facts, credentials=credentials, access=access, certificates=certificates, clock=clock
        ),
        rotate_keys=RotateKeys(facts=facts, add=add_devices),
        let_bridge_in=LetBridgeIn(access=access, credentials=credentials, reserved=add_devices.reserved),
        count_silent=CountSilent(readings=readings, clock=clock),
        list_devices=list_devices,
        oversee_devices=OverseeDevices(list_devices=list_devices, find_gaps=find_gaps, clock=clock),
        check_installation=CheckInstallation(
            facts=facts,
            fields=fields,
            credentials=credentials,
            readings=readings,
            clock=clock,
            shift=timedelta(seconds=settings.clock_shift_s),
        ),
        device_tables=ReadDeviceTables(tables=tables, catalogues=catalogues, clock=clock, zone=settings.time_zone),
        ingest_messages=ingest,
        find_gaps=find_gaps,
        show_quarantine=ShowQuarantine(readings=readings),
        show_conflicts=ShowConflicts(readings=readings),
        replay_quarantine=ReplayQuarantine(readings=readings, ingest=ingest, clock=clock),
        rollups=rollups,
        refresh_rollups=RefreshRollups(rollups=rollups),
        retain_readings=RetainReadings(archive=DatabaseArchive(engine), rollups=rollups, clock=clock),
        export_readings=ExportReadings(
            facts=facts, readings=readings, clock=clock, quantities=quantities, write=write_values
        ),
        summarise_sensors=summarise_sensors,
        grade_season=GradeSeason(facts=facts, summarise=summarise_sensors, clock=clock, zone=settings.time_zone),
        take_stock=take_stock,
        make_broker=partial(_broker, settings),
        make_subscriber=partial(_subscriber, settings, ingest),
        ingest_lease=partial(lease, engine, settings.broker_user),
    )


def _decoders(home: Path, quantities: Mapping[str, Quantity]) -> Mapping[str, wire.Decoder]:
    """Give the profiles of device models: the workspace's own before those that ship."""
    own = home / "decoders.toml"
    shipped = load_decoders(data_dir() / "catalogues" / "decoders.toml", quantities)
    return shipped | load_decoders(own, quantities) if own.exists() else shipped


def _spread(workers: int, scheduler: str) -> Spread:
    if scheduler:
        return OnCluster(scheduler)
    return one_by_one if workers == 1 else InProcesses(workers)


def _broker(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    kind: Kind | None = None,
    door: Door | None = None,
    names: Sequence[str] = (),
) -> Broker:
    return Broker(
        settings.home / "broker",
        host=host or settings.broker_host,
        port=port or settings.broker_port,
        kind=kind,
        door=door,
        names=names,
    )


def _subscriber(settings: Settings, ingest: IngestMessages) -> Subscriber:
    def handle(messages: Sequence[Message]) -> Ingested:
        """Ingest under the broker of the moment: the next one may not tell who speaks."""
        signed_only = settings.require_mac or not tells_who_speaks(settings.home / "broker")
        return replace(ingest, signed_only=signed_only)(messages)

    password = settings.broker_password.get_secret_value() or service_password(settings.home / "broker")
    return Subscriber(
        host=settings.broker_host,
        port=settings.broker_port,
        username=settings.broker_user,
        password=password,
        topics=wire.SUBSCRIPTIONS,
        handle=handle,
    )
