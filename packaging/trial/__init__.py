"""Test of the sources: `make test` in a clean Debian that contains only what the README requires.

`python3 -m trial SUITE`, with `packaging` on PYTHONPATH, as root on Debian, for example with SUITE=trixie. It takes
about half an hour on two cores. The Debian system is in build/smoke; nothing is installed on the machine itself.
"""
