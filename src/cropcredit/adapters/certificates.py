"""The workspace's own certificate authority: certificates of the broker and of devices, and which are revoked.

Everything lies in one folder: ``ca.crt`` is for the devices, ``ca.key`` for nobody. ``issued.csv`` is the ledger of
device certificates; the list of revoked ones (``crl.pem``) is made from it.
"""

from __future__ import annotations

import fcntl
import ipaddress
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cropcredit.adapters.broker_access import machine_time, private_folder, write_private
from cropcredit.adapters.certificate_ledger import Issued, Ledger
from cropcredit.errors import RefusedInput
from cropcredit.model import DeviceCertificate

CA_LASTS = timedelta(days=20 * 365)
DEVICE_LASTS = timedelta(days=5 * 365)
"""A technician visits each device at least that often."""
SERVER_LASTS = timedelta(days=2 * 365)
RENEWED_BEFORE = timedelta(days=60)
"""The broker renews its own certificate at a start so long before its end."""
SLOW_CLOCKS = timedelta(days=1)
"""A certificate counts from so long before it was made: clocks of devices lag."""
CA_NAME = "cropcredit telemetry"


class CertificateAuthority:
    """Issues and revokes; ``made`` says whether this workspace has one at all.

    Parameters
    ----------
    directory : Path
        ``<home>/broker/tls`` of a workspace; made by :meth:`make`, readable by its owner only.
    now : callable, optional
        The clock; that of the machine, since OpenSSL in the broker goes by it too.
    """

    def __init__(self, directory: Path, *, now: Callable[[], datetime] = machine_time) -> None:
        self.directory, self._now = directory, now
        self.ledger = Ledger(directory / "issued.csv")

    @property
    def made(self) -> bool:
        """True when there is a key to sign with."""
        return (self.directory / "ca.key").exists()

    def make(self) -> None:
        """Make the authority; nothing where it is already."""
        private_folder(self.directory)
        with self._alone():
            if self.made:
                return
            key, now = ec.generate_private_key(ec.SECP256R1()), self._now()
            name = _name(CA_NAME)
            usage = x509.KeyUsage(**dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True})
            made = (
                _certificate(name, key, issuer=name, now=now, until=now + CA_LASTS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .sign(key, hashes.SHA256())
            )
            write_private(self.directory / "ca.crt", _pem(made))
            write_private(self.directory / "ca.key", _key_pem(key))

    def serve_as(self, hosts: Iterable[str]) -> None:
        """Make sure that the broker has a certificate for these names and addresses that lasts for a while."""
        wanted = sorted(set(hosts))
        with self._alone():
            if self._serves(wanted):
                return
            names = x509.SubjectAlternativeName([_host(host) for host in wanted])
            made = self._sign(wanted[0], ExtendedKeyUsageOID.SERVER_AUTH, lasts=SERVER_LASTS, more=names)
            write_private(self.directory / "server.crt", made.certificate)
            write_private(self.directory / "server.key", made.key)

    def issue(self, device_id: str) -> DeviceCertificate:
        """Issue a certificate in the name of a device, beside any that it has."""
        with self._alone():
            made = self._sign(device_id, ExtendedKeyUsageOID.CLIENT_AUTH, lasts=DEVICE_LASTS)
            read = x509.load_pem_x509_certificate(made.certificate.encode())
            line = Issued(serial=read.serial_number, device=device_id, until=read.not_valid_after_utc)
            self.ledger.append(line)
        return made

    def pass_for(self, device_id: str) -> DeviceCertificate:
        """Issue a certificate of a minute in a device's name, with which the broker's owner ends its session."""
        return self._sign(device_id, ExtendedKeyUsageOID.CLIENT_AUTH, lasts=timedelta(minutes=1))

    def revoke(self, device_ids: Iterable[str], *, after: timedelta = timedelta(0)) -> None:
        """Revoke, ``after`` a while, all that these devices have now; what ends sooner keeps its end."""
        names, at = set(device_ids), self._now() + after
        self._change(lambda line: line.ended(at) if line.device in names else line)

    def end_old(self, device_ids: Iterable[str]) -> None:
        """Revoke at once what was to be revoked later."""
        names, at = set(device_ids), self._now()
        self._change(lambda line: line.ended(at) if line.device in names and line.revoked_at else line)

    def revoked(self) -> dict[int, str]:
        """Give the devices by the serials that are revoked now."""
        now = self._now()
        return {line.serial: line.device for line in self.ledger.lines() if not line.counts(now)}

    def ends(self) -> list[tuple[datetime, str]]:
        """Tell when certificates in use end, the broker's among them, the first one first."""
        now = self._now()
        last: dict[str, datetime] = {}
        for line in self.ledger.lines():
            if line.counts(now):
                last[line.device] = max(line.until, last.get(line.device, line.until))
        for name in ("ca", "server"):
            file = self.directory / f"{name}.crt"
            if file.exists():
                last[f"({name})"] = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        return sorted((until, name) for name, until in last.items())

    def publish(self, revoked: Iterable[int]) -> bool:
        """Write the list of revoked certificates; False when the last one is of this very second.

        Of two lists OpenSSL takes the newer, and it counts in whole seconds: try again in the next.
        """
        file, now = self.directory / "crl.pem", self._now().replace(microsecond=0)
        last = x509.load_pem_x509_crl(file.read_bytes()).last_update_utc if file.exists() else None
        if last is not None and now <= last <= now + timedelta(seconds=1):
            return False
        ca = self._ca()
        builder = x509.CertificateRevocationListBuilder(
            # It must not end before its authority: with an expired list the broker would let nobody in.
            issuer_name=ca.subject, last_update=now, next_update=ca.not_valid_after_utc
        )  # fmt: skip
        for serial in sorted(revoked):
            entry = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=now)
            builder = builder.add_revoked_certificate(entry.build())
        signed = builder.sign(self._key(), hashes.SHA256())
        write_private(file, signed.public_bytes(Encoding.PEM).decode())
        return True

    def _serves(self, wanted: list[str]) -> bool:
        file = self.directory / "server.crt"
        if not file.exists():
            return False
        stands = x509.load_pem_x509_certificate(file.read_bytes())
        names = stands.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        lasts = self._now() < stands.not_valid_after_utc - RENEWED_BEFORE
        return lasts and {str(name.value) for name in names} == set(wanted)

    def _sign(
        self, name: str, usage: x509.ObjectIdentifier, *, lasts: timedelta, more: x509.ExtensionType | None = None
    ) -> DeviceCertificate:
        ca, key, now = self._ca(), ec.generate_private_key(ec.SECP256R1()), self._now()
        until = min(now + lasts, ca.not_valid_after_utc)
        builder = _certificate(_name(name), key, issuer=ca.subject, now=now, until=until)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # A device's certificate must not pass for the broker's, nor the broker's for a device's.
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if more is not None:
            builder = builder.add_extension(more, critical=False)
        return DeviceCertificate(certificate=_pem(builder.sign(self._key(), hashes.SHA256())), key=_key_pem(key))

    def _ca(self) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate((self.directory / "ca.crt").read_bytes())
        except FileNotFoundError:
            cure = "start cropcredit broker --tls certificates"
            raise RefusedInput("there is no certificate authority", where=str(self.directory), cure=cure) from None

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = load_pem_private_key((self.directory / "ca.key").read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def _change(self, change: Callable[[Issued], Issued]) -> None:
        if self.made:
            with self._alone():
                self.ledger.write([change(line) for line in self.ledger.lines()])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.directory.is_dir():
            self._ca()  # refuses, and says what to do
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - SLOW_CLOCKS,
        not_valid_after=until,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
