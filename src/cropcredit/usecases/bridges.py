"""Logins for network servers: who may pass on what devices said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from cropcredit import wire
from cropcredit.errors import MalformedInput, StateConflict, UnknownRecord
from cropcredit.ports import BrokerAccess, CredentialStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLogin:
    """A fresh login, to be put into the network server's integration; it is shown once and never again."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"BridgeLogin(name={self.name!r}, password=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetBridgeIn:
    """Give a network server a login of its own: it writes the topics of network servers, and reads nothing."""

    access: BrokerAccess
    credentials: CredentialStore
    reserved: Collection[str] = field(default=("ingest",))
    """User names at the broker that nobody may take."""

    def __call__(self, name: str, *, rotate: bool = False) -> BridgeLogin:
        """Issue a login; with ``rotate``, for a name that has one, another password: the old one ends at once.

        Raises
        ------
        MalformedInput
            If it cannot be a user name, or is reserved.
        StateConflict
            If a device has the name, or a network server has it already and ``rotate`` was not asked for.
        """
        if not wire.DEVICE_ID.fullmatch(name) or name in self.reserved:
            raise MalformedInput("cannot be a user name, or is reserved", where=name)
        if self.credentials.known([name]):
            raise StateConflict(f"{name!r} is a device: choose another name for the network server")
        if name in self.access.bridges() and not rotate:
            raise StateConflict(
                f"{name!r} has a login already: use --rotate to give it another, which ends the old one"
            )
        return BridgeLogin(name=name, password=self.access.allow_bridge(name))

    def end(self, name: str) -> None:
        """Take a network server's login away; raises UnknownRecord for a name that is none's."""
        if name not in self.access.bridges():
            raise UnknownRecord("network server", name, cure="devices bridge without a name lists them")
        self.access.forbid_bridge(name)
