"""Every error and warning of cropcredit, in one tree.

* CropcreditError
  + RefusedInput            what was refused, where, and what to do; a command exits with 2
    - MissingCRS            a file or raster that does not say where on Earth it lies
    - CRSMismatch           two things in different coordinate systems were about to be combined
    - SwappedAxes           latitude and longitude stand in the wrong order
    - InvalidGeometry       a boundary that encloses no field
    - EmptyInput            a file, a table or a selection with nothing in it
    - MalformedInput        a file or row that does not have its documented form
    - UnknownName           a product, crop, quantity or unit that no catalogue knows
    - UnknownRecord         an id that the workspace does not hold (as of that instant)
    - CurrencyMismatch      money of two currencies was about to be combined
    - RadiometryError       reflectance that cannot be right: offset applied twice or not at all
    - MissingEvidence       an application without consent, field, planting, price or cost
  + ContractError           a telemetry message that breaks its contract; carries a reason code
  + NotPermitted            the person may not do this; nothing was changed
  + StateConflict           somebody else was first, or the step is not open; nothing was changed
  + StoreUnavailable        a store or broker did not answer; nothing was lost, try again
* CropcreditWarning
  + DegradedWork            work went on with less than it wanted, and says with how much less
"""

from __future__ import annotations

from typing import Any


class CropcreditError(Exception):
    """Root of all errors that cropcredit raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with all facts, whatever the constructor asks for."""
        return _arrived, (type(self), self.args, self.__dict__)


def _arrived(kind: type[CropcreditError], args: tuple[Any, ...], facts: dict[str, Any]) -> CropcreditError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


class RefusedInput(CropcreditError):
    """Input was refused; built from the facts, so callers can read them back.

    Parameters
    ----------
    what : str
        What was refused and why, in a practitioner's words.
    where : str, optional
        File, row, field, device or record it concerns.
    cure : str, optional
        What to do next.

    Examples
    --------
    >>> str(RefusedInput("no coordinate system", where="fields.gpkg", cure="write one with ogr2ogr -a_srs"))
    'fields.gpkg: no coordinate system; write one with ogr2ogr -a_srs'
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(f"{where}: " * bool(where) + what + f"; {cure}" * bool(cure))


class MissingCRS(RefusedInput):
    """A file or raster that does not say where on Earth it lies."""


class CRSMismatch(RefusedInput):
    """Two things in different coordinate systems were about to be combined."""

    def __init__(self, left: str, right: str, *, where: str = "") -> None:
        self.left, self.right = left, right
        super().__init__(f"coordinate systems differ: {left} against {right}", where=where, cure="reproject one first")


class SwappedAxes(RefusedInput):
    """Latitude and longitude stand in the wrong order."""


class InvalidGeometry(RefusedInput):
    """A boundary that encloses no field."""


class EmptyInput(RefusedInput):
    """A file, a table or a selection with nothing in it."""


class MalformedInput(RefusedInput):
    """A file or row that does not have its documented form."""


class UnknownName(RefusedInput):
    """A product, crop, quantity or unit that no catalogue knows."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...] = (), *, where: str = "") -> None:
        self.kind, self.name, self.known = kind, name, known
        super().__init__(f"unknown {kind} {name!r}", where=where, cure=f"known: {', '.join(known)}" * bool(known))


class UnknownRecord(RefusedInput):
    """An id that the workspace does not hold (as of that instant)."""

    def __init__(self, kind: str, record_id: str, *, where: str = "", cure: str = "") -> None:
        self.kind, self.record_id = kind, record_id
        super().__init__(f"no {kind} with id {record_id!r}", where=where, cure=cure)


class CurrencyMismatch(RefusedInput):
    """Money of two currencies was about to be combined."""

    def __init__(self, left: str, right: str, *, where: str = "") -> None:
        self.left, self.right = left, right
        super().__init__(f"currencies differ: {left} against {right}", where=where)


class RadiometryError(RefusedInput):
    """Reflectance that cannot be right: the offset was applied twice, or not at all."""


class MissingEvidence(RefusedInput):
    """An application without the consent, field, planting, price or cost that sizing needs."""


class ContractError(CropcreditError):
    """A telemetry message that breaks its contract.

    ``reason`` is one of the short codes listed in data/contracts/telemetry-v1; ``detail`` says it in words.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


class NotPermitted(CropcreditError):
    """The person may not do this; nothing was changed."""


class StateConflict(CropcreditError):
    """Somebody else was first, or the step is not open; nothing was changed."""


class StoreUnavailable(CropcreditError):
    """A store or broker did not answer; nothing was lost, try again."""


class CropcreditWarning(UserWarning):
    """Root of all warnings that cropcredit issues on purpose."""


class DegradedWork(CropcreditWarning):
    """Work went on with less than it wanted, and says with how much less."""
