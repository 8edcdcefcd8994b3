"""Set-up: from a fresh checkout to a running Inglenook, with nothing but a Python of the system.

Only the standard library is used here, because this runs before any dependency exists. The Makefile starts it as
`python3 -m bootstrap NAME`; what it makes lies in .venv, build and the user's data folder.
"""
