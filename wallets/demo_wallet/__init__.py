"""A funded burner wallet for people without one, on the local chain only. Its routes exist only with DEMO_WALLET."""
