"""What the process that forks ingests loads once."""

import alembic.command
import psycopg

import cropcredit.bootstrap
import cropcredit.cli
import cropcredit.service

__all__ = ["alembic", "cropcredit", "psycopg"]
