"""The trial of the sources: `make test` in a clean Debian that holds what the README asks for and nothing else.

`python3 -m trial SUITE`, with `packaging` on PYTHONPATH, as root on Debian, for example with SUITE=trixie. It takes
about half an hour on two cores. The Debian lies in build/smoke; nothing is installed on the machine itself.
"""
