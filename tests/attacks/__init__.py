"""Hostile images and programs, each with the promise it must not break. `make attack` runs them; so do the tests."""
