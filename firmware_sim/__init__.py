"""Simulated farm devices: own encoder, journal and clock; they meet the server only in data/contracts/telemetry-v1."""
