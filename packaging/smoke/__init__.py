"""Smoke test of the .deb. In a clean Debian a simulated user installs it, chats, uses the endpoint, upgrades and
removes it.

`python3 -m smoke` runs the test as root on Debian, with `packaging` on PYTHONPATH. It takes some minutes. The clean
Debian is in build/smoke; nothing is installed on the machine itself."""
