"""One device: its window, live before backfill, what it sends again, what it forgets, how it counts boots."""

from __future__ import annotations

import json
import random
from itertools import chain, pairwise

import pytest

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Device, Habits, Reading
from firmware_sim.identity import Identity
from firmware_sim.journal import Journal
from firmware_sim.message import Ack, Command

NOON = 1_767_268_800_000


@pytest.fixture
def journal():
    journal = Journal(":memory:")
    yield journal
    journal.close()


def switched_on(journal: Journal, *, proven: bool = True, **habits) -> Device:
    memory = journal.power_on(["a"])["a"]
    device = Device(Identity("a"), memory, journal, habits=Habits(**habits), clock=DeviceClock(), rng=random.Random(0))
    if proven:
        device.prove()
    return device


def measure(device: Device, count: int, *, live: bool = False) -> None:
    for _ in range(count):
        device.record(Reading("a", NOON, (("soil.moisture", "23.4", ""),)), live=live)


def numbers(outgoing) -> list[tuple[int, int]]:
    return [(facts["boot"], facts["seq"]) for facts in (json.loads(one.payload) for one in outgoing)]


def held(device: Device) -> list[tuple[int, int]]:
    return [(boot, seq) for boot, seq, _ in device.journal.after(device.number, 0, 0, 1000)]


def test_old_readings_take_half_the_window_and_leave_the_rest_to_live_ones(journal):
    device = switched_on(journal, window=16)
    measure(device, 20)
    assert numbers(device.pump(0.0)) == [(1, seq) for seq in range(1, 9)]
    measure(device, 10, live=True)
    assert numbers(device.pump(0.0)) == [(1, seq) for seq in range(21, 29)], "eight places were left, for the live"


def test_a_live_reading_goes_before_the_backlog(journal):
    device = switched_on(journal, window=16)
    measure(device, 5)
    measure(device, 1, live=True)
    assert numbers(device.pump(0.0)) == [(1, 6), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]
    assert device.pump(0.0) == [], "nothing goes twice without a reason"


def test_live_readings_beyond_the_window_wait_in_the_journal_and_are_sent_once(journal):
    device = switched_on(journal, window=16)
    measure(device, 40, live=True)
    sent = numbers(device.pump(0.0))
    for _ in range(10):
        device.settle(Ack(1, max(seq for _, seq in sent)))
        sent += numbers(device.pump(0.0))
    assert sorted(sent) == [(1, seq) for seq in range(1, 41)]
    assert held(device) == []


def test_what_is_not_acknowledged_is_sent_again_after_a_growing_pause(journal):
    device = switched_on(journal, resend_after_s=10)
    measure(device, 1)
    (first,) = device.pump(0.0)
    assert not first.again
    assert device.pump(7.4) == []
    (second,) = device.pump(12.6)
    assert second.again
    assert second.payload == first.payload
    assert device.pump(12.6 + 14.9) == []
    assert len(device.pump(12.6 + 25.1)) == 1


def test_everything_under_way_is_sent_again_after_a_reconnect(journal):
    device = switched_on(journal)
    measure(device, 3)
    device.pump(0.0)
    device.reconnected(1.0)
    assert numbers(device.pump(1.0)) == [(1, 1), (1, 2), (1, 3)]


def test_a_server_that_is_silent_is_asked_with_one_message_alone_and_ever_more_rarely(journal):
    device = switched_on(journal, window=64, resend_after_s=10)
    measure(device, 20)
    device.pump(0.0)
    asked = [(second, one) for second in range(1, 301) for one in numbers(device.pump(float(second)))]
    assert [seq for _, (_, seq) in asked] == [1, 2, 3, 4, 5, 6], (
        "each in its turn, for one alone may be what is refused"
    )
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise([(0, (1, 0)), *asked])]
    for pause, usual in zip(pauses, (10, 20, 40, 60, 60, 60), strict=True):
        assert 0.75 * usual <= pause <= 1.25 * usual + 1


def test_a_lost_window_comes_back_twice_as_fast_with_each_ack(journal):
    device = switched_on(journal, window=64, resend_after_s=10)
    measure(device, 20)
    device.pump(0.0)
    rounds = [numbers(device.pump(13.0))]
    while rounds[-1]:
        seqs = [seq for _, seq in rounds[-1]]
        device.settle(Ack(1, max(seqs)), 13.0)
        rounds.append(numbers(device.pump(13.0)))
    assert [len(one) for one in rounds] == [1, 2, 4, 8, 5, 0]
    assert sorted(chain.from_iterable(rounds)) == [(1, seq) for seq in range(1, 21)], "each once"


def test_an_ack_that_comes_in_time_does_not_let_a_later_silence_be_answered_by_a_burst(journal):
    device = switched_on(journal, window=64, resend_after_s=10)
    measure(device, 30)
    device.pump(0.0)
    device.settle(Ack(1, 10), 1.0)
    assert len(device.pump(13.0)) == 1


def test_a_server_that_is_slow_is_given_its_time(journal):
    device = switched_on(journal, window=64, resend_after_s=10)
    for begun in (0.0, 100.0, 200.0):
        measure(device, 2)
        assert len(device.pump(begun)) == 2
        device.settle(Ack(1, device.seq - 1), begun + 20.0)
    measure(device, 1)
    device.pump(300.0)
    assert device.pump(323.0) == [], "acknowledgements took 20 s of late, so twice that is not too long"
    assert len(device.pump(350.0)) == 1
    device.settle(Ack(1, device.seq - 1), 550.0)
    measure(device, 1)
    device.pump(600.0)
    assert len(device.pump(650.0)) == 1, "of what was sent twice nobody knows which one was answered"


def test_over_a_new_connection_a_few_are_repeated_at_once_and_the_others_as_acks_come(journal):
    device = switched_on(journal, window=64)
    measure(device, 30)
    device.pump(0.0)
    device.reconnected(1.0)
    assert numbers(device.pump(1.0)) == [(1, seq) for seq in range(1, 9)]
    assert device.pump(2.0) == []
    device.settle(Ack(1, 8), 2.0)
    assert numbers(device.pump(2.0)) == [(1, seq) for seq in range(9, 25)]
    device.settle(Ack(1, 30), 3.0)
    assert device.pump(100.0) == []


def test_a_connection_that_ends_before_an_ack_comes_repeats_the_same_few(journal):
    device = switched_on(journal, window=64)
    measure(device, 30)
    device.pump(0.0)
    for second in (1.0, 2.0):
        device.reconnected(second)
        assert len(device.pump(second)) == 8


def test_an_ack_opens_the_window_for_the_next(journal):
    device = switched_on(journal, window=16)
    measure(device, 20)
    device.pump(0.0)
    assert device.settle(Ack(1, 2, ranges=((4, 5),), rejected=((8, "range"),))) == (4, {8: "range"})
    assert numbers(device.pump(0.0)) == [(1, seq) for seq in range(9, 14)]
    assert held(device)[:4] == [(1, 3), (1, 6), (1, 7), (1, 9)]


def test_an_ack_also_settles_what_this_power_cycle_has_not_sent(journal):
    device = switched_on(journal)
    measure(device, 5)
    journal.commit()
    again = switched_on(journal)
    again.settle(Ack(1, 5))
    assert held(again) == []
    assert again.pump(0.0) == []


def test_nothing_but_the_journal_survives_a_power_cut(journal):
    device = switched_on(journal)
    measure(device, 2, live=True)
    device.pump(0.0)
    device.cut_power()
    measure(device, 1)
    assert numbers(device.pump(0.0)) == [(1, 1), (1, 2), (2, 1)]


def test_each_power_on_is_a_new_boot(journal):
    assert [switched_on(journal).boot for _ in range(3)] == [1, 2, 3]


def test_a_wiped_device_starts_above_the_highest_boot_the_server_has_seen(journal):
    device = switched_on(journal, proven=False)
    measure(device, 2, live=True)
    assert device.obey(Command(version=1, boot=7))
    assert numbers(device.pump(0.0)) == [(8, 1), (8, 2)]
    assert held(device) == [(8, 1), (8, 2)]
    journal.commit()
    assert switched_on(journal).boot == 9


def test_a_device_nobody_has_heard_of_keeps_its_numbers(journal):
    device = switched_on(journal, proven=False)
    measure(device, 1)
    assert not device.obey(Command(version=0, boot=0))
    assert held(device) == [(1, 1)]


def test_a_copy_of_a_device_counts_on_above_the_original(journal):
    device = switched_on(journal)
    measure(device, 1)
    assert device.obey(Command(version=1, boot=5))
    measure(device, 1)
    assert held(device) == [(1, 1), (6, 1)], "what it holds keeps its number"
    assert not device.obey(Command(version=1, boot=6)), "its own boot is no news"


def test_an_older_configuration_is_ignored_and_a_newer_one_obeyed(journal):
    device = switched_on(journal)
    device.obey(Command(version=2, boot=1, interval=900))
    device.obey(Command(version=1, boot=1, interval=60))
    assert device.interval_s == 900


def test_the_state_names_the_oldest_reading_still_held(journal):
    device = switched_on(journal)
    measure(device, 5)
    device.settle(Ack(1, 2))
    facts = json.loads(device.state(up_ms=60_000))
    assert (facts["boot"], facts["low"], facts["next"], facts["up"]) == (1, 3, 6, 60_000)
    device.settle(Ack(1, 5))
    assert json.loads(device.state(up_ms=0))["low"] == 6, "equal to next when nothing is held"


def test_a_first_transmission_held_back_is_overtaken_and_still_sent_once(journal):
    device = switched_on(journal, delay=0.5, window=64)
    measure(device, 10)
    first = numbers(device.pump(0.0))
    late = device.pump(2.0)
    assert 0 < len(first) < 10
    assert sorted(first + numbers(late)) == [(1, seq) for seq in range(1, 11)]
    assert not any(one.again for one in late)


def test_time_since_boot_starts_with_the_first_reading_unless_power_set_it(journal):
    device = switched_on(journal)
    device.record(Reading("a", NOON, ()), live=False)
    device.record(Reading("a", NOON + 5000, ()), live=False)
    ups = [json.loads(one.payload)["up"] for one in device.pump(0.0)]
    assert ups == [0, 5000]


def test_a_full_ring_loses_the_oldest_and_the_state_says_so():
    journal = Journal(":memory:", space=5)
    device = switched_on(journal)
    measure(device, 5)
    assert not device.has_news
    measure(device, 3)
    assert held(device) == [(1, seq) for seq in range(4, 9)]
    assert device.has_news
    facts = json.loads(device.state(up_ms=0))
    assert (facts["low"], facts["next"]) == (4, 9)
    assert not device.has_news, "it has been told"
    totals = journal.totals()
    assert (totals.recorded, totals.lost, totals.outstanding) == (8, 3, 5)
    journal.close()


def test_what_gave_way_is_not_sent_again_even_when_it_was_under_way():
    journal = Journal(":memory:", space=5)
    device = switched_on(journal, window=16, resend_after_s=10)
    measure(device, 3, live=True)
    measure(device, 2)
    assert len(device.pump(0.0)) == 5
    measure(device, 4, live=True)
    sent = numbers(device.pump(0.0)) + numbers(device.pump(60.0))
    assert sorted(set(sent)) == [(1, seq) for seq in range(5, 10)]
    journal.close()


def test_at_a_given_rate_live_readings_take_what_they_need_and_old_ones_half_at_most(journal):
    device = switched_on(journal, rate=4, resend_after_s=1000)
    measure(device, 100)
    sent = [numbers(device.pump(quarter / 4)) for quarter in range(41)]
    assert sum(map(len, sent[1:])) == 20, "two a second in ten seconds"
    measure(device, 30, live=True)
    mixed = numbers(device.pump(11.0))
    assert mixed == [(1, seq) for seq in range(101, 105)], "live first, and nothing is left for the old"


def test_without_a_rate_only_the_window_bounds(journal):
    device = switched_on(journal, window=64)
    measure(device, 100)
    assert len(device.pump(0.0)) == 32


def test_a_wiped_device_has_lost_what_it_held_and_asks_where_to_count_on(journal):
    device = switched_on(journal)
    measure(device, 3)
    assert device.wipe() == 3
    measure(device, 2)
    assert not device.proven
    device.obey(Command(version=1, boot=1))
    assert held(device) == [(2, 1), (2, 2)]
    assert journal.totals().lost == 3


def test_a_wiped_device_of_bad_firmware_counts_from_one_again(journal):
    device = switched_on(journal, obeys=False)
    device.wipe()
    measure(device, 2)
    assert not device.obey(Command(version=1, boot=9))
    device.prove()
    assert held(device) == [(1, 1), (1, 2)]


def test_a_wiped_device_that_lost_power_before_it_was_proven_keeps_both_boots(journal):
    device = switched_on(journal)
    device.wipe()
    measure(device, 1)
    device.cut_power()
    measure(device, 1)
    device.obey(Command(version=1, boot=1))
    assert held(device) == [(2, 1), (3, 1)]


def test_a_new_device_that_lost_power_before_it_was_proven_moves_all_its_boots(journal):
    device = switched_on(journal, proven=False)
    measure(device, 2)
    device.cut_power()
    measure(device, 2)
    device.obey(Command(version=1, boot=1))
    assert held(device) == [(2, 1), (2, 2), (3, 1), (3, 2)]
