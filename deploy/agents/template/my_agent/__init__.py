"""My Agent."""
