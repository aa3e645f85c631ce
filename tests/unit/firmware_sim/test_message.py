"""What the device writes beyond the golden messages, and what it refuses to understand."""

from __future__ import annotations

import pytest

from firmware_sim.errors import BrokenMessage
from firmware_sim.message import Ack, Key, number_text, read_ack, read_command


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"v":2,"boot":1,"upto":9,"ranges":[],"rej":[]}', id="another version"),
        pytest.param(b'{"v":1,"boot":1,"upto":9,"ranges":[]}', id="a member is missing"),
        pytest.param(b'{"v":1,"boot":0,"upto":9,"ranges":[],"rej":[]}', id="boot zero"),
        pytest.param(b'{"v":1,"boot":1,"upto":-1,"ranges":[],"rej":[]}', id="below zero"),
        pytest.param(b'{"v":1,"boot":1,"upto":true,"ranges":[],"rej":[]}', id="upto is true"),
        pytest.param(b'{"v":1,"boot":1,"upto":"9","ranges":[],"rej":[]}', id="upto is text"),
        pytest.param(b'{"v":1,"boot":1,"upto":9,"ranges":[[1]],"rej":[]}', id="half a range"),
        pytest.param(b'{"v":1,"boot":1,"upto":9,"ranges":7,"rej":[]}', id="no list"),
        pytest.param(b'{"v":1,"boot":1,"upto":9,"ranges":[],"rej":[3]}', id="rejection without reason"),
        pytest.param(b"\xff", id="not text"),
        pytest.param(b"[" * 9000, id="deeper than a parser goes"),
    ],
)
def test_a_broken_ack_is_no_ack(payload):
    with pytest.raises(BrokenMessage, match=r"counter|another form|not JSON|not an object"):
        read_ack(payload)


def test_a_broken_command_is_no_command():
    with pytest.raises(BrokenMessage, match="version"):
        read_command(b'{"v":1,"boot":3}')
    with pytest.raises(BrokenMessage, match="counter"):
        read_command(b'{"v":1,"version":1,"boot":"3"}')


def test_an_ack_settles_only_its_own_boot():
    ack = Ack(3, 2, ranges=((5, 6),), rejected=((9, "range"),))
    assert [seq for seq in range(1, 11) if ack.settles(3, seq)] == [1, 2, 5, 6, 9]
    assert not any(ack.settles(boot, 1) for boot in (1, 2, 4))


def test_a_number_that_json_cannot_hold_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        number_text(float("nan"))


def test_a_secret_shows_neither_in_print_nor_in_the_password():
    key = Key("k1", bytes(range(32)))
    assert key.secret.hex() not in repr(key)
    assert key.password() != key.secret.hex()
    assert len(key.password()) == 64
