"""Benchmarks: each figure is measured in one run beside what it is compared with. `make bench ONLY=window.stall`."""
