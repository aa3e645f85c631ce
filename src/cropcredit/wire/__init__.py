"""Telemetry contract v1 (data/contracts/telemetry-v1): bytes -> Reading, Rejection or DeviceState; Ack -> bytes."""

from cropcredit.wire.control import decode_state, encode_ack, encode_cmd
from cropcredit.wire.telemetry_v1 import MAX_BYTES, decode, receive, refuse
from cropcredit.wire.topics import DEVICE_ID, SUBSCRIPTIONS, Topic, ack_topic, cmd_topic, login_password, parse_topic

__all__ = [
    "DEVICE_ID",
    "MAX_BYTES",
    "SUBSCRIPTIONS",
    "Topic",
    "ack_topic",
    "cmd_topic",
    "decode",
    "decode_state",
    "encode_ack",
    "encode_cmd",
    "login_password",
    "parse_topic",
    "receive",
    "refuse",
]
