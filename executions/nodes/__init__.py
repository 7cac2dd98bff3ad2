"""The machines that run agents: each has a Docker engine and one or more workers, and tells of itself in a row."""
