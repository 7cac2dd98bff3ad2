"""The image of the proxy through which agents reach the hosts they declare."""
