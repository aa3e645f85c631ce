"""Start the fault matrix: ``make faults``, or ``python -m tests.faults``."""

import sys

from tests.faults.cli import main

if __name__ == "__main__":
    sys.exit(main())
