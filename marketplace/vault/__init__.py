"""What creators entrust to the platform: secrets of their agents and passwords of their registries, encrypted."""
