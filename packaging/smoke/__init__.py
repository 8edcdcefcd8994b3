"""The trial of the .deb: a clean Debian, a person who installs it, chats, asks the endpoint, upgrades and removes it.

`python3 -m smoke`, with `packaging` on PYTHONPATH, as root on Debian. It takes some minutes. The Debian lies in
build/smoke; nothing is installed on the machine itself.
"""
