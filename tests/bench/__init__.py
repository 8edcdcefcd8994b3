"""Benchmarks. Each one measures a figure and, in the same run, the reference that the figure is compared with.

`make bench ONLY=window.stall` measures one figure."""
