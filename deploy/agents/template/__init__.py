"""What a new agent begins as: `make new-agent NAME=my-agent` copies the folder my_agent."""
