"""Runs `make test` in a clean Debian that contains only what the README requires.

`python3 -m trial SUITE` runs it as root on Debian, with `packaging` on PYTHONPATH. SUITE is a Debian release such as
trixie. It takes about half an hour on two cores. The clean Debian is in build/smoke; nothing is installed on the
machine itself."""
