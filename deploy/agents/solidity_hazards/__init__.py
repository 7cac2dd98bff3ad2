"""Sample agent: known hazards in a Solidity file."""
