"""`python -m agentnexus_agent.local` does as `agentnexus-agent`, where the package is not installed."""

import sys

from agentnexus_agent.local.cli import main

if __name__ == "__main__":
    sys.exit(main())
