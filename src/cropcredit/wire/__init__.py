"""What comes over the broker: contract v1 (data/contracts/telemetry-v1), network servers, SenML: bytes -> Reading."""

from cropcredit.wire.control import decode_state, encode_ack, encode_cmd
from cropcredit.wire.decoders import DecodedField, Decoder, model_key
from cropcredit.wire.measured import CHANNEL
from cropcredit.wire.network import open_uplink
from cropcredit.wire.senml import read_senml
from cropcredit.wire.telemetry_v1 import MAX_BYTES, decode, receive, refuse
from cropcredit.wire.topics import DEVICE_ID, SUBSCRIPTIONS, Topic, ack_topic, cmd_topic, login_password, parse_topic
from cropcredit.wire.uplinks import Uplink, is_device_eui, read_uplink

__all__ = [
    "CHANNEL",
    "DEVICE_ID",
    "MAX_BYTES",
    "SUBSCRIPTIONS",
    "DecodedField",
    "Decoder",
    "Topic",
    "Uplink",
    "ack_topic",
    "cmd_topic",
    "decode",
    "decode_state",
    "encode_ack",
    "encode_cmd",
    "is_device_eui",
    "login_password",
    "model_key",
    "open_uplink",
    "parse_topic",
    "read_senml",
    "read_uplink",
    "receive",
    "refuse",
]
