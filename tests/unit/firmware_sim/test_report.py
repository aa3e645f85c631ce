"""What a stored reading costs: sums that a reader can check in the head."""

from __future__ import annotations

from collections import Counter

from firmware_sim.link import Traffic
from firmware_sim.report import by_kind, cost

SAID = Counter(acked=100, acks=25, resent=10, bytes=20_000)
CARRIED = Traffic(bytes_out=31_000 - 52 * 100, bytes_in=13_000 - 52 * 50, packets_out=100, packets_in=50)


def test_each_stored_reading_bears_its_share_of_everything_that_was_carried():
    said = cost(SAID, CARRIED, bearer="nb-iot", interval_s=3600)
    assert (said["wire_bytes_out"], said["wire_bytes_in"]) == (31_000, 13_000), "headers of 52 bytes a packet included"
    each = said["per_stored"]
    assert (each["published_bytes"], each["acks"], each["resends"]) == (200.0, 0.25, 0.1)
    assert (each["wire_bytes_out"], each["wire_bytes_in"]) == (310.0, 130.0)
    assert each["airtime_s"] == 0.16, "310 bytes at 31 kbit/s and 130 at 13 kbit/s are 0.08 s each"
    assert each["battery_j"] == round(0.08 * 0.79 + 0.08 * 0.17, 4)
    assert said["mb_per_device_month"] == round(440 * 720 / 1e6, 2)


def test_where_nothing_was_stored_or_the_kernel_does_not_tell_nothing_is_claimed():
    assert cost(Counter(), CARRIED, bearer="gprs", interval_s=60)["per_stored"] is None
    assert cost(SAID, Traffic(), bearer="gprs", interval_s=60)["per_stored"] is None


def test_what_was_injected_is_summed_by_kind_and_by_reason():
    counts = Counter(
        {"kind:nan:json": 2, "kind:bom:json": 1, "kind:wrong_topic:": 4, "poison:range:range": 9, "sent": 5}
    )
    assert by_kind(counts, "kind") == ({"nan": 2, "bom": 1, "wrong_topic": 4}, {"json": 3, "nobody hears of it": 4})
    assert by_kind(counts, "poison") == ({"range": 9}, {"range": 9})
