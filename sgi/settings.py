"""Every setting, read once from the environment (`SGI_…`, nested by `__`) at the edge."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$"


class Disposal(StrEnum):
    """What happens to an original once its slide is published."""

    MOVE = "move"
    """It goes to `.done/` in its drop folder."""
    KEEP = "keep"
    DELETE = "delete"


class DatabaseSettings(BaseModel):
    """PostgreSQL: without a URL, `sgi up` runs an embedded one."""

    url: SecretStr | None = None
    """`postgresql://user:password@host:port/database`."""


class BucketSettings(BaseModel):
    """One bucket of an S3-compatible store, and the credentials for it."""

    endpoint: str | None = None
    """`https://host:port` of any S3-compatible store."""
    bucket: str = "sgi"
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")


class ThawTier(StrEnum):
    """How urgently an archive is asked to thaw, as S3 calls it; what is urgent costs more."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"
    BULK = "Bulk"


_THAW_HOURS = {
    "GLACIER": {ThawTier.EXPEDITED: 0.1, ThawTier.STANDARD: 5.0, ThawTier.BULK: 12.0},
    "DEEP_ARCHIVE": {ThawTier.STANDARD: 12.0, ThawTier.BULK: 48.0},
}
"""Of each class that must be thawed, how long that takes at most."""


class ColdSettings(BucketSettings):
    """Where cold levels lie; without an endpoint, in another bucket of the warm store."""

    bucket: str = "sgi-cold"
    storage_class: str | None = None
    """Of S3, such as GLACIER_IR or DEEP_ARCHIVE; none for the bucket's own."""
    thaw_tier: ThawTier = ThawTier.STANDARD
    thaw_days: int = Field(default=3, ge=1, le=30)
    """How long what was thawed stays readable, in days: a restore takes less."""
    restore_hours: float = Field(default=1.0, ge=0, le=240)
    """How long a restore takes here at most, as people are told, in hours; unless it is given, what
    Amazon says of the class and the urgency, and one hour more."""

    @model_validator(mode="after")
    def _urgency(self) -> Self:
        if self.storage_class in _THAW_HOURS:
            hours = _THAW_HOURS[self.storage_class].get(self.thaw_tier)
            if hours is None:
                raise ValueError(f"{self.storage_class} is not thawed by {self.thaw_tier} requests")
            if "restore_hours" not in self.model_fields_set:
                self.restore_hours = hours + 1.0
        return self


class SecondSettings(BucketSettings):
    """A second copy of every object; without an endpoint, in another bucket of the warm store."""

    bucket: str = "sgi-second"


class StorageSettings(BucketSettings):
    """The S3 store: without an endpoint, `sgi up` runs an embedded SeaweedFS."""

    cold: ColdSettings | None = None
    """None: slides never become cold. `sgi up` makes a cold bucket in its embedded store."""
    second: SecondSettings | None = None
    """None: there is one copy, and what is damaged cannot be repaired here."""
    cache_mb: int = Field(default=4096, ge=0)
    """Largest size of the tile cache on the local disk of each machine, in MiB; 0 for none."""


class IngestSettings(BaseModel):
    """How files come in."""

    originals: Disposal = Disposal.MOVE
    quiet_s: float = Field(default=5.0, ge=0)
    """A file is whole when its size and time have not changed for this many seconds."""
    rescan_s: float = Field(default=15.0, gt=0)
    """Pause between full rescans, in seconds: network shares send no events."""
    concurrency: int = Field(default=2, ge=1, le=64)
    """Conversions at the same time in one worker."""
    threads: int = Field(default=2, ge=1, le=64)
    """Threads that decode and encode within one conversion."""
    memory_mb: int = Field(default=2048, ge=256)
    """Memory that one conversion may take, in MiB."""
    timeout_s: float = Field(default=6 * 3600, gt=0)
    """Longest time for one conversion, in seconds; small files have less, by their size."""
    stall_s: float = Field(default=300, gt=0)
    """Longest time without any progress in a conversion, in seconds."""
    jpeg_quality: int = Field(default=90, ge=50, le=100)
    """For levels that must be compressed anew."""
    fill_gaps: bool = False
    """True builds the levels between two of a file that lie a factor 4 apart."""
    ome_zarr: bool = False
    """True also stores each slide as an OME-Zarr, for those who read the bucket themselves."""


class KeepingSettings(BaseModel):
    """Work on what is already stored: it never holds up what comes in."""

    concurrency: int = Field(default=1, ge=1, le=64)
    """Jobs at the same time in one worker."""
    threads: int = Field(default=1, ge=1, le=64)
    """Threads that recompress within one job."""
    memory_mb: int = Field(default=1024, ge=256)
    """Memory that one recompression may take, in MiB."""


class ScrubSettings(BaseModel):
    """Reading what is stored again, to prove that it is what was written."""

    mb_per_s: float = Field(default=20.0, ge=0, le=10_000)
    """Pace of one worker, in MB (10^6 bytes) a second; 0 leaves it to `sgi verify`."""
    period_days: float = Field(default=30.0, gt=0, le=3650)
    """A slide that was verified longer ago than this is verified again."""
    copy_mb_per_s: float = Field(default=0.0, ge=0, le=10_000)
    """Pace of second copies in one worker, as `mb_per_s`; 0: as fast as the stores go."""


class MetricsSettings(BaseModel):
    """Who may read `/metrics`."""

    token: SecretStr | None = None
    """A bearer token; none: readers on this machine alone."""


class BackupSettings(BaseModel):
    """Backups of the database, from which it can be brought back as it was at any moment."""

    folder: Path | None = None
    """On another disk than the database, or better another machine; none for no backups."""
    every_hours: float = Field(default=24.0, gt=0, le=24 * 31)
    """Between two whole copies, in hours; what happens in between is kept as it happens."""
    keep_days: float = Field(default=30.0, ge=0, le=3660)
    """How far back one can go, in days."""


class TlsSettings(BaseModel):
    """Served over TLS when both files are given."""

    certificate: Path | None = None
    key: Path | None = None


class Hl7TlsSettings(TlsSettings):
    """MLLP over TLS, for every interface."""

    clients: Path | None = None
    """The authority whose certificates may connect (PEM); none: whoever reaches the port."""


class Hl7Settings(BaseModel):
    """The link to the laboratory's own system; what each interface says is in its own file."""

    host: str = "127.0.0.1"
    """Where MLLP listens; beyond this machine only with TLS, or on a network that is closed."""
    port: int = Field(default=2575, ge=0, le=65535)
    """Of the first interface, unless its file says another; 0 for a free one."""
    folder: Path | None = None
    """Of the interfaces' files, `*.toml`; none for `interfaces` in the data folder."""
    message_mb: int = Field(default=64, ge=1, le=1024)
    """Largest message, in MiB: reports carry whole documents."""
    connections: int = Field(default=100, ge=1, le=10_000)
    """Open at the same time."""
    connections_per_peer: int = Field(default=25, ge=1, le=10_000)
    """Of these, from one address (of IPv6, one /64 network)."""
    idle_s: float = Field(default=3600.0, gt=0)
    """A connection on which nothing comes for this many seconds is closed."""
    message_s: float = Field(default=30.0, gt=0)
    """Longest time from a message's first byte to its last, in seconds."""
    tls: Hl7TlsSettings = Hl7TlsSettings()


class Settings(BaseSettings):
    """The whole configuration of one process."""

    model_config = SettingsConfigDict(
        env_prefix="SGI_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    data: Path = Path("data")
    """Where the embedded engines and the drop folder live."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    address: str | None = Field(default=None, pattern=_ORIGIN)
    """Where people reach this server (`https://host`), for links that other systems are given."""
    serve_processes: int = Field(default=1, ge=1, le=64)
    behind_tls_proxy: bool = False
    """True when a reverse proxy on this host ends TLS and sets X-Forwarded-For."""
    admin_password: SecretStr | None = None
    """Password of the first account, `admin`; one is made and kept in `data/` otherwise."""
    establishment: str = "Laboratoire"
    """Name of the first establishment."""
    session_hours: float = Field(default=12, gt=0)
    viewer_origins: tuple[Annotated[str, Field(pattern=_ORIGIN)], ...] = ()
    """Origins (`https://host`) of other viewers that may read slides with a person's session."""
    database: DatabaseSettings = DatabaseSettings()
    storage: StorageSettings = StorageSettings()
    ingest: IngestSettings = IngestSettings()
    keeping: KeepingSettings = KeepingSettings()
    scrub: ScrubSettings = ScrubSettings()
    metrics: MetricsSettings = MetricsSettings()
    backup: BackupSettings = BackupSettings()
    tls: TlsSettings = TlsSettings()
    hl7: Hl7Settings = Hl7Settings()

    @property
    def interfaces(self) -> Path:
        """The files that say what each HL7 interface means."""
        return self.hl7.folder or self.data / "interfaces"

    @property
    def messages(self) -> Path:
        """The folders of HL7 interfaces of files that have none of their own, by their names."""
        return self.data / "messages"

    @property
    def drop(self) -> Path:
        """The drop folder."""
        return self.data / "drop"

    @property
    def work(self) -> Path:
        """Scratch space of conversions; a worker that starts removes what dead ones have left."""
        return self.data / "work"

    @property
    def cache(self) -> Path:
        """Tiles that were read lately, on a local disk; may be emptied at any time."""
        return self.data / "cache"

    @property
    def run(self) -> Path:
        """What the processes of this machine tell each other: addresses and secrets, mode 0700."""
        return self.data / "run"

    @property
    def secure(self) -> bool:
        """True when browsers reach this server by https."""
        return self.behind_tls_proxy or self.tls.certificate is not None
