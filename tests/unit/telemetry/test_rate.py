"""How much is too much: per batch, beyond it, and all in all."""

from __future__ import annotations

from cropcredit.telemetry.rate import Allowance, RateLimiter, Sent

SMALL = Allowance(window=3, backlog=4, volume=20, per_s=0.5)


def new(*seqs: int, size: int = 100, paced: bool = True) -> list[Sent]:
    return [Sent(seq, size, paced) for seq in seqs]


def test_what_fits_the_window_is_never_looked_at():
    limiter = RateLimiter(SMALL)
    assert limiter.suspects({"a": 3, "b": 4}, now_s=0.0) == ["b"]


def test_repetitions_cost_nothing_and_those_of_what_is_too_much_are_too_much():
    limiter = RateLimiter(SMALL)
    sent = new(1, 1, 1, 2, 3, 4, 5, 6, 7, 1, 8, 7, 8)
    assert limiter.excess("a", sent, now_s=0.0) == [10, 12]


def test_the_backlog_is_used_up_by_a_burst_and_fills_up_batch_by_batch():
    limiter = RateLimiter(SMALL)
    limiter.charge("a", new=7, cost=7, now_s=0.0)
    assert limiter.excess("a", new(*range(10, 15)), now_s=0.0) == [3, 4], "the window is all there is"
    limiter.charge("a", new=3, cost=3, now_s=0.0)
    assert limiter.excess("a", new(*range(20, 25)), now_s=0.0) == [3, 4], "a full window leaves nothing over"
    limiter.charge("a", new=1, cost=1, now_s=0.0)
    assert limiter.excess("a", new(*range(30, 36)), now_s=0.0) == [5]
    assert limiter.excess("b", new(*range(7)), now_s=0.0) == [], "another one has its own"


def test_what_is_sent_without_end_is_bounded_however_patiently_it_is_sent():
    limiter = RateLimiter(SMALL)
    stored = 0
    for second in range(100):
        sent = new(*range(1000 * second, 1000 * second + 3))
        if limiter.suspects({"a": len(sent)}, now_s=second):
            over = limiter.excess("a", sent, now_s=second)
            sent = [one for place, one in enumerate(sent) if place not in over]
        limiter.charge("a", new=len(sent), cost=len(sent), now_s=second)
        stored += len(sent)
    assert 20 + 0.5 * 97 <= stored <= 20 + 0.5 * 100 + 3


def test_a_long_message_counts_for_several_and_who_is_not_paced_has_its_volume_alone():
    limiter = RateLimiter(SMALL)
    assert [one.cost for one in (Sent(1, 0), Sent(1, 8192), Sent(1, 8193))] == [1, 1, 2]
    assert limiter.excess("a", new(1, 2, 3, size=8 * 8192), now_s=0.0) == [2]
    assert limiter.excess("a", new(*range(21), paced=False), now_s=0.0) == [20]


def test_a_clock_that_is_set_back_gives_nothing_away():
    limiter = RateLimiter(SMALL)
    limiter.charge("a", new=20, cost=20, now_s=1000.0)
    assert limiter.suspects({"a": 1}, now_s=0.0) == ["a"]
    assert limiter.suspects({"a": 1}, now_s=1002.0) == []
