"""What dies while agents run, and that nothing is lost, run twice or left behind: `make crash`."""
