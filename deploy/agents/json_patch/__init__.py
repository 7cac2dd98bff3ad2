"""json-patch: what differs between two JSON documents."""
