"""Settings of one workspace (one lender): read once by an entry point, then only passed on."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cropcredit.errors import MalformedInput, RefusedInput

FILE = "cropcredit.toml"
LAST_PORT = 65_535


class Settings(BaseSettings):
    """Everything that differs between two workspaces; ``CROPCREDIT_<NAME>`` in the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="CROPCREDIT_", frozen=True, extra="forbid")

    home: Path
    """Folder of the workspace."""
    lender: str = "cropcredit"
    """Name of the lender, shown at the desk."""
    time_zone: str = "Asia/Shanghai"
    """Zone of the lender's days: a bare as-of date ends at midnight here."""
    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$")
    language: Literal["zh", "en"] = "zh"
    database_url: SecretStr = SecretStr("")
    """Empty: SQLite in the workspace. A URL carries a password, so it is masked when shown."""
    broker_host: str = "127.0.0.1"
    broker_port: int = Field(default=1883, ge=1, le=65535)
    broker_user: str = "ingest"
    broker_password: SecretStr = SecretStr("")
    """Empty: the one that ``cropcredit broker`` wrote into the workspace."""
    require_mac: bool = False
    """True: a message without a valid HMAC is quarantined. Always so where the broker has no access lists."""
    ingest_http: str = "127.0.0.1:0"
    """HOST:PORT where ingest tells health and metrics; port 0 is any free one; ``off``: nowhere."""
    ingest_hang_s: float = Field(default=60.0, gt=0)
    """An ingest whose loop has not turned for so long ends itself, to be started anew."""
    synthetic: bool = False
    """True in the demo region: every screen and page says so."""
    clock_shift_s: int = 0
    """Seconds from the machine's clock to this workspace's: the made season of the demo has a present of its own."""

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {name!r}") from None
        return name

    @field_validator("ingest_http")
    @classmethod
    def _can_be_listened_on(cls, text: str) -> str:
        try:
            http_address(text)
        except RefusedInput as error:
            raise ValueError(str(error)) from None
        return text

    @model_validator(mode="after")
    def _only_made_seasons_have_their_own_clock(self) -> Self:
        if self.clock_shift_s and not self.synthetic:
            raise ValueError("only a synthetic workspace may shift its clock")
        return self

    @classmethod
    def load(cls, home: Path) -> Settings:
        """Read the settings of the workspace at ``home``.

        Raises
        ------
        RefusedInput
            If there is no workspace, or a setting is not understood.
        """
        file = home / FILE
        if not file.is_file():
            raise RefusedInput("is not a workspace", where=str(home), cure=f"make one: cropcredit init --home {home}")
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise MalformedInput(f"is not TOML: {error}", where=str(file)) from None
        values = {name: value for name, value in values.items() if f"CROPCREDIT_{name.upper()}" not in os.environ}
        return cls.checked(home, values, where=str(file))

    @classmethod
    def checked(cls, home: Path, values: dict[str, object], *, where: str) -> Settings:
        """Build settings from plain values; a bad one is refused by name."""
        try:
            return cls(home=home.absolute(), **values)  # type: ignore[arg-type] # pydantic checks what mypy cannot
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise MalformedInput(f"setting {name!r}: {first['msg']}", where=where, cure="correct the file") from None

    @property
    def database(self) -> str:
        """URL of the operational store."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'cropcredit.db'}"

    def save(self) -> None:
        """Write the settings file of a new workspace; what stands there already is kept.

        Raises
        ------
        RefusedInput
            If ``home`` is a workspace already, or cannot be written.
        """
        lines = [
            "# A cropcredit workspace. CROPCREDIT_<NAME> in the environment wins over this file.\n",
            *(f"{name} = {_toml(getattr(self, name))}\n" for name in _WRITTEN),
            *[f"clock_shift_s = {self.clock_shift_s}\n"] * bool(self.clock_shift_s),
        ]
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)  # keys of devices lie in its database
            private = os.open(self.home / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # a password may come in
            with os.fdopen(private, "w", encoding="utf-8") as file:
                file.writelines(lines)
        except FileExistsError:
            raise RefusedInput("is a workspace already", where=str(self.home), cure="nothing was changed") from None
        except OSError as error:
            raise RefusedInput(f"cannot be written: {error.strerror}", where=str(self.home)) from error


_WRITTEN = ("lender", "time_zone", "currency", "language", "broker_host", "broker_port", "require_mac", "synthetic")
"""What ``init`` writes down, so that a newcomer sees what can be changed."""


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def http_address(text: str) -> tuple[str, int] | None:
    """Read HOST:PORT; None for ``off``.

    Raises
    ------
    MalformedInput
        If it is neither.

    Examples
    --------
    >>> http_address("127.0.0.1:9464")
    ('127.0.0.1', 9464)
    """
    if text == "off":
        return None
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > LAST_PORT:
        raise MalformedInput("is not HOST:PORT", where=text, cure="write 127.0.0.1:9464, or off")
    return host, int(port)


def data_dir() -> Path:
    """Give the folder of contracts, catalogues and the demo's parameters: in the wheel, or beside ``src``."""
    packaged = Path(__file__).parent / "data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data"
