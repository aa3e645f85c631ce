"""Devices prove who they are: password from the key, topics of their own, a broker they can check."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware_sim.identity import read_devices
from tests.integration.firmware_sim.operator import STATIONS, Simulator, ended
from tests.integration.firmware_sim.peer import Mosquitto, Peer, free_port

pytestmark = pytest.mark.debian
Tool = Callable[[str], Path]
ACL = """
user peer
topic readwrite farm/v1/#
pattern write farm/v1/%u/up
pattern write farm/v1/%u/state
pattern read farm/v1/%u/ack
pattern read farm/v1/%u/cmd
"""


@pytest.fixture
def guarded(debian_tool: Tool, tmp_path: Path):
    """Give a broker with passwords and access lists, and the simulator whose devices it knows."""
    extra = (
        "allow_anonymous false", "use_username_as_clientid true",
        f"password_file {tmp_path / 'passwords'}", f"acl_file {tmp_path / 'acl'}",
    )  # fmt: skip
    broker = Mosquitto(debian_tool("mosquitto"), tmp_path, extra=extra)
    simulator = Simulator(broker, tmp_path)
    simulator.prepare(days=20)
    logins = {name: one.login() for name, one in read_devices(simulator.devices).items()} | {"peer": "secret"}
    (tmp_path / "passwords").write_text("".join(f"{name}:{password}\n" for name, password in logins.items()))
    subprocess.run([debian_tool("mosquitto_passwd"), "-U", tmp_path / "passwords"], check=True)
    (tmp_path / "acl").write_text(ACL)
    broker.start()
    yield simulator
    broker.kill()


def test_a_device_logs_in_with_the_password_of_its_key_and_keeps_to_its_topics(guarded):
    peer = Peer(guarded.broker.port, password="secret")
    assert ended(guarded.replay())[0] == 0
    assert len(peer.kept) == 20 * len(STATIONS)
    peer.close()


def test_a_device_with_another_key_is_refused_and_keeps_its_readings(guarded):
    guarded.prepare(days=20)
    code, summary, err = ended(guarded.replay("--patience", "2"))
    assert (code, summary["outstanding"], summary["sent"]) == (1, 20 * len(STATIONS), 0)
    assert "refused: Not authorized" in err


def _issue(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None):
    """Make a key and a certificate for ``name``: a CA of its own, or a server certificate by ``issuer``."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _written(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, *plain))


def test_over_tls_the_device_talks_only_to_the_broker_it_can_check(debian_tool, tmp_path):
    ours = _issue("ours", None)
    for name, issued in (("ours", ours), ("other", _issue("other", None)), ("broker", _issue("broker", ours))):
        _written(tmp_path, name, *issued)
    extra = ("allow_anonymous true", f"certfile {tmp_path / 'broker.crt'}", f"keyfile {tmp_path / 'broker.key'}")
    broker = Mosquitto(debian_tool("mosquitto"), tmp_path, extra=extra)
    broker.start()
    simulator = Simulator(broker, tmp_path)
    count = simulator.prepare(days=50)
    peer = Peer(broker.port, ca=tmp_path / "ours.crt")
    code, summary, err = ended(
        simulator.replay("--ca", str(tmp_path / "other.crt"), "--patience", "2", journal="wrong")
    )
    assert (code, summary["outstanding"]) == (1, count)
    assert "certificate verify failed" in err
    assert ended(simulator.replay("--ca", str(tmp_path / "ours.crt")))[0] == 0
    assert len(peer.kept) == count
    peer.close()
    broker.kill()


def test_a_device_shows_the_certificate_in_its_name_and_without_one_stays_outside(debian_tool, tmp_path):
    ours, certificates = _issue("ours", None), tmp_path / "certificates"
    certificates.mkdir()
    _written(tmp_path, "ours", *ours)
    _written(tmp_path, "broker", *_issue("broker", ours))
    for station in STATIONS:
        _written(certificates, station, *_issue(station, ours))
    server, port = [f"certfile {tmp_path / 'broker.crt'}", f"keyfile {tmp_path / 'broker.key'}"], free_port()
    extra = (
        f"cafile {tmp_path / 'ours.crt'}", *server, "require_certificate true", "use_identity_as_username true",
        f"listener {port} 127.0.0.1",
    )  # fmt: skip
    broker = Mosquitto(debian_tool("mosquitto"), tmp_path, extra=("allow_anonymous true", *extra))
    broker.start()
    simulator = Simulator(broker, tmp_path)
    count = simulator.prepare(days=5)
    peer = Peer(port)
    ca = ("--ca", str(tmp_path / "ours.crt"))
    code, summary, _ = ended(simulator.replay(*ca, "--patience", "1", journal="without"))
    assert (code, summary["acked"]) == (1, 0)
    assert ended(simulator.replay(*ca, "--cert-dir", str(certificates)))[0] == 0
    assert len(peer.kept) == count
    (certificates / "st-04.key").unlink()
    code, _, err = ended(simulator.replay(*ca, "--cert-dir", str(certificates)))
    assert code == 2
    assert "no certificate of device st-04" in err
    peer.close()
    broker.kill()
