"""Argon2id for passwords, and a short memory for wrong ones."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import datetime
from threading import Lock

import argon2

log = logging.getLogger(__name__)


class Argon2Hasher:
    """Argon2id with the parameters of RFC 9106 (low-memory profile), as argon2-cffi ships them."""

    def __init__(self) -> None:
        self._argon2 = argon2.PasswordHasher()

    def hash(self, password: str) -> str:
        """Hash with a fresh salt; the parameters travel in the result."""
        return self._argon2.hash(password)

    def matches(self, password_hash: str, password: str) -> bool:
        """Say whether the password belongs to the hash; a damaged hash matches nothing and is logged."""
        try:
            return self._argon2.verify(password_hash, password)
        except argon2.exceptions.VerifyMismatchError:
            return False
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            log.exception("a stored password hash is damaged: nobody can sign in with it")
            return False


class MemoryAttempts:
    """Wrong tries per name, within one process; bounded, so that made-up names cannot fill the memory.

    A restart forgets them: whoever can restart the desk can also read its database.
    """

    def __init__(self, *, names: int = 10_000, tries: int = 64) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()
        self._names, self._tries = names, tries
        self._lock = Lock()

    def failures(self, username: str) -> list[datetime]:
        """Give the wrong tries since the last success, oldest first."""
        with self._lock:
            return list(self._failures.get(username, ()))

    def failed(self, username: str, at: datetime) -> None:
        """Note a wrong try."""
        with self._lock:
            self._failures[username] = [*self._failures.pop(username, ()), at][-self._tries :]
            while len(self._failures) > self._names:
                self._failures.popitem(last=False)

    def succeeded(self, username: str) -> None:
        """Forget the wrong tries."""
        with self._lock:
            self._failures.pop(username, None)
