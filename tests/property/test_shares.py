"""Whatever happens on the way, an honest device is never held back; whatever it sends, a flooder has its share."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cropcredit.telemetry.rate import Allowance
from tests.unit.usecases.test_ingest import acks, up
from tests.unit.usecases.test_limits import Guarded

WINDOW, BACKLOG = 4, 12
SMALL = Allowance(window=WINDOW, backlog=BACKLOG, volume=100_000, per_s=1.0)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["send", "again", "reconnect", "measure"]),
        st.tuples(st.integers(1, 40), st.booleans()),  # a batch of so many; does its acknowledgement arrive?
    ),
    max_size=60,
)


class Honest:
    """A device that keeps what it is not told the store holds, with at most a window under way."""

    def __init__(self, held: int) -> None:
        self.held, self.under_way = list(range(1, held + 1)), list[int]()
        self.made, self.live = held, 0

    def send(self) -> list[int]:
        fresh = [seq for seq in self.held if seq not in self.under_way][: WINDOW - len(self.under_way)]
        self.under_way += fresh
        return fresh

    def measure(self) -> None:
        """Make a reading, which goes before the old ones; in one outage as many as the broker is to hold."""
        if self.live < BACKLOG:
            self.live, self.made = self.live + 1, self.made + 1
            self.held.insert(0, self.made)

    def told(self, said: dict[str, Any]) -> None:
        settled = [range(1, said["upto"] + 1), *(range(first, last + 1) for first, last in said["ranges"])]
        self.held = [seq for seq in self.held if not any(seq in one for one in settled)]
        self.under_way = [seq for seq in self.under_way if seq in self.held]


@given(held=st.integers(0, 50), steps=STEPS)
def test_an_honest_device_is_never_held_back(held, steps):
    desk, device, broker = Guarded(allowance=SMALL), Honest(held), list[int]()

    def batch(size: int, *, heard: bool) -> None:
        taken, broker[:] = broker[:size], broker[size:]
        for _, said in acks(desk(*(up(seq) for seq in taken))):
            if heard:
                device.told(said)

    for step in steps:
        if step == "send":
            broker.extend(device.send())
        elif step == "again":
            broker.extend(device.under_way)
        elif step == "reconnect":
            device.under_way.clear()
        elif step == "measure":
            device.measure()
        else:
            batch(step[0], heard=step[1])
    for _ in range(200):
        device.under_way.clear()
        broker.extend(device.send())
        batch(len(broker), heard=True)
    assert desk.refused().total() == 0
    assert (device.held, desk.stored().total()) == ([], device.made)


@given(flood=st.lists(st.lists(st.integers(1, 200), max_size=60), min_size=1, max_size=12))
def test_a_flooder_never_has_more_than_its_share_and_the_others_lose_nothing(flood):
    desk = Guarded(allowance=SMALL)
    for sent, seqs in enumerate(flood, start=1):
        before = desk.stored()["a"]
        desk(*(up(seq) for seq in seqs), up(sent, device="b"))
        assert desk.stored()["a"] - before <= WINDOW + BACKLOG
        assert desk.stored()["a"] <= BACKLOG + WINDOW * sent
        assert desk.stored()["b"] == sent
    stored = {(d, s): json.loads(payload) for (d, _, s), (_, payload, _) in desk.store.rows.items()}
    assert all(said["seq"] == seq for (_, seq), said in stored.items())
