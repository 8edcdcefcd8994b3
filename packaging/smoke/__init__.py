"""Smoke test of the .deb: in a clean Debian a user installs it, chats, uses the endpoint, upgrades and removes it.

`python3 -m smoke`, with `packaging` on PYTHONPATH, as root on Debian. It takes some minutes. The Debian system is in
build/smoke; nothing is installed on the machine itself.
"""
