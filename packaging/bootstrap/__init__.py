"""Set-up: from a fresh checkout to a running Inglenook, with only the system's Python.

Only the standard library is used, because this runs before any dependency is installed. The Makefile starts it as
`python3 -m bootstrap NAME`. It writes to .venv, build and the user's data folder.
"""
