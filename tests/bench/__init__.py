"""Benchmarks. Each figure and the reference that it is compared with are measured in the same run. `make bench
ONLY=window.stall` measures one figure.
"""
