"""What the use cases need from the world; a port has the methods a use case calls, no more."""

from cropcredit.ports.access import BrokerAccess, CredentialStore, DeviceCertificates
from cropcredit.ports.batches import DoneT, EstimateStore, JobT, ModelStore, Progress, RunStore, Spread, YieldArchive
from cropcredit.ports.readings import ReadingArchive, ReadingStore, RollupStore
from cropcredit.ports.records import (
    AccountStore,
    Catalogues,
    Clock,
    FactStore,
    FieldStore,
    PasswordHasher,
    SignInAttempts,
    TableReader,
)
from cropcredit.ports.scenes import (
    CoverageCache,
    ObservationStore,
    RasterReader,
    SceneCatalogue,
    SceneFiles,
    VectorFiles,
)

__all__ = [
    "AccountStore",
    "BrokerAccess",
    "Catalogues",
    "Clock",
    "CoverageCache",
    "CredentialStore",
    "DeviceCertificates",
    "DoneT",
    "EstimateStore",
    "FactStore",
    "FieldStore",
    "JobT",
    "ModelStore",
    "ObservationStore",
    "PasswordHasher",
    "Progress",
    "RasterReader",
    "ReadingArchive",
    "ReadingStore",
    "RollupStore",
    "RunStore",
    "SceneCatalogue",
    "SceneFiles",
    "SignInAttempts",
    "Spread",
    "TableReader",
    "VectorFiles",
    "YieldArchive",
]
