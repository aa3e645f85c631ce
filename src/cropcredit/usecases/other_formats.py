"""Readings that do not come in contract v1: what network servers pass on, and SenML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cropcredit import wire
from cropcredit.errors import ContractError, UnknownRecord
from cropcredit.model import Device, Reading, Rejection
from cropcredit.ports import FactStore
from cropcredit.units import Quantity


@dataclass(frozen=True, slots=True)
class ModelOf:
    """Tells the model under which a device is registered."""

    facts: FactStore

    def __call__(self, device_id: str) -> str:
        """Give the model, empty where none was said."""
        try:
            return self.facts.get(Device, device_id).model
        except UnknownRecord:
            return ""


def no_model(_device_id: str) -> str:
    """Know no models: then only normalized payloads and the catalogue's own names can be read."""
    return ""


def without_profile(devices: Iterable[Device], decoders: Mapping[str, wire.Decoder]) -> list[Device]:
    """Give the devices named by a DevEUI whose model nothing describes: of them only normalized payloads are read."""
    return [d for d in devices if wire.is_device_eui(d.id) and wire.model_key(d.model) not in decoders]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFormats:
    """Reads the formats of data/contracts/network-servers."""

    quantities: Mapping[str, Quantity]
    decoders: Mapping[str, wire.Decoder]
    """Profiles by :func:`cropcredit.wire.model_key`."""
    model_of: Callable[[str], str]
    """Registered model of a device id."""

    def uplink(self, topic: str, payload: bytes, *, accept: Callable[[str], None]) -> Reading | Rejection:
        """Read a frame that a network server passed on.

        A frame that is refused once it is open names its session and counter: it has arrived, so it is no gap.

        Parameters
        ----------
        topic : str
            Of the network server.
        payload : bytes
            As received.
        accept : callable
            Called with the device id; raises ContractError for a device that is unknown or revoked.

        Raises
        ------
        ContractError
            When the frame cannot be opened or its device is not accepted.
        """
        frame = wire.open_uplink(wire.parse_topic(topic), payload)
        try:
            accept(frame.device_id)
        except ContractError as error:
            return _refused(frame, topic, payload, error, named=False)
        model = self.model_of(frame.device_id)
        try:
            return wire.read_uplink(
                frame, decoder=self.decoders.get(wire.model_key(model)), model=model, quantities=self.quantities
            )
        except ContractError as error:
            return _refused(frame, topic, payload, error, named=True)

    def pack(self, topic: wire.Topic, payload: bytes, *, received_at: datetime) -> list[tuple[Reading, bytes]]:
        """Read a SenML pack: its readings, each with the bytes that are kept of it; raises ContractError."""
        return wire.read_senml(
            topic.device_id,
            payload,
            cbor=topic.kind == "senml-cbor",
            decoder=self.decoders.get(wire.model_key(self.model_of(topic.device_id))),
            quantities=self.quantities,
            received_at=received_at,
        )


def _refused(frame: wire.Uplink, topic: str, payload: bytes, error: ContractError, *, named: bool) -> Rejection:
    return Rejection(
        topic=topic,
        payload=payload,
        reason=error.reason,
        detail=error.detail,
        device_id=frame.device_id,
        boot=frame.boot if named else None,
        seq=frame.seq if named else None,
    )
