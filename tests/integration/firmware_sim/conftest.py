"""A real broker and an acknowledging peer for the simulated fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.firmware_sim.operator import Simulator
from tests.integration.firmware_sim.peer import Mosquitto, Peer


@pytest.fixture
def broker(debian_tool: Callable[[str], Path], tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(debian_tool("mosquitto"), tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def peer(broker: Mosquitto) -> Iterator[Peer]:
    peer = Peer(broker.port)
    yield peer
    peer.close()


@pytest.fixture
def simulator(broker: Mosquitto, tmp_path: Path) -> Simulator:
    return Simulator(broker, tmp_path)
