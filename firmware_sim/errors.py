"""What the simulator refuses."""

from __future__ import annotations


class BadInput(Exception):
    """A file or option that cannot be used: one line says what, where, and what to do."""


class BrokenMessage(Exception):
    """An ack or cmd that breaks the contract: it is ignored, and nothing is deleted on a guess."""
