"""Keys as they are handed out, once: to a file for its owner alone, or to standard output."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cropcredit.adapters.broker_access import write_private
from cropcredit.cli.common import counted, out, show_json
from cropcredit.errors import RefusedInput
from cropcredit.usecases.devices import IssuedKey

_KEY_COLUMNS = ("device", "kid", "secret", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """How keys are handed out."""

    keys: Path | None
    """File to write; None: standard output."""
    certificates: Path | None
    """Folder to write; None: there are none."""
    authority: Path
    """The certificate by which devices know the broker."""
    as_json: bool
    done: str = "registered"
    """What was done to the devices."""


def hand_out(issue: Callable[[], list[IssuedKey]], how: Handed) -> None:
    """Issue keys and hand them out; the file is opened first, so that no key is issued that cannot be written."""
    if how.certificates is not None:
        _make_folder(how.certificates)
    if how.keys is None:
        issued = issue()
        if not how.as_json:
            _write(sys.stdout, issued)
    else:
        with _new_file(how.keys) as file:
            issued = issue()
            _write(file, issued)
    if how.certificates is not None:
        _write_certificates(how.certificates, issued, how.authority)
    if how.as_json:
        told = (
            _KEY_COLUMNS if how.keys is None else _KEY_COLUMNS[:2]
        )  # without a file this is where the secrets are shown
        show_json([dict(zip(told, _cells(key), strict=False)) for key in issued])
    elif how.keys is not None:
        out.print(f"{how.done} {counted(len(issued), 'device')}; keys in {how.keys}", markup=False)


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """Open a file for its owner alone; whatever goes wrong meanwhile, no empty one stays behind."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RefusedInput(
            f"cannot be made: {error.strerror}", where=str(path), cure="name another file; no key was issued"
        ) from error
    with os.fdopen(descriptor, "w", newline="") as file:
        try:
            yield file
        except Exception:
            path.unlink()
            raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RefusedInput(f"cannot be made: {error.strerror}", where=str(folder)) from error


def _write_certificates(folder: Path, issued: Sequence[IssuedKey], authority: Path) -> None:
    (folder / "ca.crt").write_bytes(authority.read_bytes())
    for key in issued:
        assert key.certificate is not None, "asked for above"
        (folder / f"{key.device_id}.crt").write_text(key.certificate.certificate)
        write_private(folder / f"{key.device_id}.key", key.certificate.key)


def _write(file: TextIO, issued: Sequence[IssuedKey]) -> None:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(_KEY_COLUMNS)
    rows.writerows(map(_cells, issued))


def _cells(key: IssuedKey) -> tuple[str, str, str, str]:
    return key.device_id, key.key_id, key.secret, key.password
