"""Soak test: the whole app under random load for minutes. `make soak` runs it."""
