"""Builds installers from a checkout.

Only the standard library is used. The Makefile starts it as `python3 -m ship [PART ...]`. It works in build/ship, and
writes finished files to dist.
"""
