"""Telemetry contract v1: bytes to readings or rejections, acknowledgements to bytes."""
