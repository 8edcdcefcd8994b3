"""Figures: each measured in one run beside what it is held against. `make bench`, `make bench ONLY=window.stall`."""
