"""Signatures of the contract: an HMAC over the received bytes before the final ``,"mac":``."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

from cropcredit.errors import ContractError

_MARK = b',"mac":'
_TAIL = re.compile(rb'"([0-9a-f]{64})"\}')


def check(payload: bytes, key_id: str, keys: Mapping[str, bytes]) -> None:
    """Check the signature at the very end of a message.

    Parameters
    ----------
    payload : bytes
        The message as received; nothing is re-serialised.
    key_id : str
        The key the message names.
    keys : mapping
        The valid secrets of the device, by key id.

    Raises
    ------
    ContractError
        ``mac``, when the key is not known, the signature is not at the very end, or it does not match.
    """
    if key_id not in keys:
        raise ContractError("mac", f"no valid key {key_id!r}")
    signed, _, tail = payload.rpartition(_MARK)
    match = _TAIL.fullmatch(tail)
    if match is None:
        raise ContractError("mac", "the signature does not stand at the very end")
    if not hmac.compare_digest(hmac.digest(keys[key_id], signed, "sha256").hex().encode(), match[1]):
        raise ContractError("mac", f"the signature does not match key {key_id!r}")
