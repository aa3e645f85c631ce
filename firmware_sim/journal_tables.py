"""The tables of a journal file, and how durable they are."""

from __future__ import annotations

import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS device (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  boot INTEGER NOT NULL DEFAULT 0, proven INTEGER NOT NULL DEFAULT 0,
  recorded INTEGER NOT NULL DEFAULT 0, acked INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0, base INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS message (
  device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, content BLOB NOT NULL,
  poison INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusal (
  device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL, poison INTEGER NOT NULL,
  PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (digest TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
  device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, content BLOB NOT NULL,
  lost INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS ledger_number ON ledger (device, boot, seq);
CREATE TABLE IF NOT EXISTS injected (
  device INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, payload_sha256 TEXT NOT NULL);
"""


def prepare(db: sqlite3.Connection) -> None:
    """Take the file for this process alone, with every commit on the disk, and make what is missing in it."""
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.executescript(SCHEMA)
    columns = {row[1] for row in db.execute("PRAGMA table_info(device)")}
    for name in {"lost", "base"} - columns:  # a journal of an earlier version
        db.execute(f"ALTER TABLE device ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
