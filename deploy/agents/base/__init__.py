"""The image agents stand on."""
