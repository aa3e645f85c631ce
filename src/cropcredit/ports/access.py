"""Who may speak: keys of devices, logins at the broker, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cropcredit.model import DeviceCertificate


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
