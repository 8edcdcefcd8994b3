"""Set-up: installs everything that Inglenook needs to run from a fresh checkout. Requires only the system's Python.

Only the standard library is used, because this package runs before any dependency is installed. The Makefile starts it
as `python3 -m bootstrap NAME`. It writes to .venv, to build and to the user's data folder."""
