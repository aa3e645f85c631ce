"""The operational store: SQLite embedded, PostgreSQL by URL, one schema for both."""

from cropcredit.adapters.database.accounts import DatabaseAccounts
from cropcredit.adapters.database.engine import open_database
from cropcredit.adapters.database.facts import DatabaseFacts

__all__ = ["DatabaseAccounts", "DatabaseFacts", "open_database"]
