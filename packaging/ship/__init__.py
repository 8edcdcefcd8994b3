"""Installers: from a checkout to the files that a person downloads.

Only the standard library is used here. The Makefile starts it as `python3 -m ship [PART ...]`; what it makes lies in
build/ship, and what is finished in dist.
"""
