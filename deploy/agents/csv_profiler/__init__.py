"""Sample agent: what is in a CSV file, and what is wrong with it."""
