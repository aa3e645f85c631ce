"""The report on a crop's yields as files: Markdown, a page that opens anywhere without a network, and JSON."""

from cropcredit.adapters.yield_pages.files import write_report

__all__ = ["write_report"]
