"""Let the tests of the agents import the SDK from its own folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sdk"))
