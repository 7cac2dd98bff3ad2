"""Let the tests of the agents import the SDK from its own folder, and leave out what a template has not built."""

import sys
from pathlib import Path

collect_ignore = ["template/wasm"]
sys.path.insert(0, str(Path(__file__).parent / "sdk"))
