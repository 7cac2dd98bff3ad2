"""Runs the whole platform on one machine: embedded engines, the Procfile's processes, the demonstration."""
