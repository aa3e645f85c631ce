"""Ending the session of a device that may no longer be there."""

from __future__ import annotations

import logging
import socket
import ssl
import tempfile
from pathlib import Path

from cropcredit.adapters.broker_access import write_private
from cropcredit.adapters.broker_conf import EVERYWHERE, Door
from cropcredit.adapters.certificates import CertificateAuthority

log = logging.getLogger(__name__)

TAKEOVER_S = 5.0
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"  # clean session, keepalive 10 s, no client id
_DISCONNECT = b"\xe0\x00"


def end_session(authority: CertificateAuthority, device_id: str, *, door: Door) -> None:
    """End the session of a device whose certificate no longer counts, by taking it over and leaving.

    mosquitto looks at a certificate only when a connection begins. But two sessions of one client id cannot be, and
    the client id is the name in the certificate: whoever holds the authority can show one of that name.
    """
    context = ssl.create_default_context(cafile=str(authority.directory / "ca.crt"))
    context.check_hostname = False  # this machine; that it is our broker, its certificate says
    one = authority.pass_for(device_id)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pass.pem"
        write_private(file, one.certificate + one.key)
        context.load_cert_chain(file)
    host = "127.0.0.1" if door.host in EVERYWHERE else door.host
    try:
        with (
            socket.create_connection((host, door.port), timeout=TAKEOVER_S) as plain,
            context.wrap_socket(plain) as connection,
        ):
            connection.sendall(_CONNECT)
            connection.recv(4)
            connection.sendall(_DISCONNECT)
    except OSError as error:
        log.warning("the session of %s could not be ended: %s; it ends with its connection", device_id, error)
