"""Soak test: the whole app runs under random load for some minutes. `make soak` starts it."""
