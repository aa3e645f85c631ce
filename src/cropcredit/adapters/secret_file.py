"""A secret of the workspace in a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

LENGTH = 32


def load_or_make(file: Path) -> bytes:
    """Read the secret, making it on first use; two makers at once agree on whose came first.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = load_or_make(Path(folder) / "identity.key")
    ...     len(first), load_or_make(Path(folder) / "identity.key") == first
    (32, True)
    """
    if not file.exists():
        making = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        making.touch(mode=0o600)
        making.write_bytes(secrets.token_bytes(LENGTH))
        try:
            os.link(making, file)  # fails where the file stands already, so it is never overwritten
        except FileExistsError:
            pass
        finally:
            making.unlink()
    return file.read_bytes()
