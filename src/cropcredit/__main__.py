"""``python -m cropcredit``."""

from cropcredit.cli import main

main()
